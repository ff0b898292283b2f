// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RealmSwitchTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String URL = "https://claude.ai/oauth/x";

    private static final String ANY =
        "[{\"condition\":\"any-client\",\"configuration\":{}}]";

    private static String profile(String name, String executor, String form) {
        return "{\"name\":\"" + name + "\",\"executors\":[{\"executor\":\""
            + executor + "\",\"configuration\":" + form + "}]}";
    }

    private static String policy(String profile, boolean enabled,
        String conditions) {
        return "{\"name\":\"p\",\"enabled\":" + enabled + ",\"conditions\":"
            + conditions + ",\"profiles\":[\"" + profile + "\"]}";
    }

    private static RealmSwitch realm(String profiles, String policies) {
        return new RealmSwitch("{\"profiles\":[" + profiles + "]}",
            "{\"policies\":[" + policies + "]}");
    }

    private static String condition(String... clients) {
        return "[{\"condition\":\"cimd-client-id\",\"configuration\":"
            + JSON.valueToTree(java.util.Map.of("clients",
                List.of(clients))) + "}]";
    }

    @Test
    void offWithoutAnything() {
        for (String text : new String[] {null, "", "{}", "[]", "null",
            "{\"profiles\":1,\"policies\":\"x\"}", "{"}) {
            assertFalse(new RealmSwitch(text, text).on(), text);
        }
    }

    @Test
    void onByAnEnabledPolicy() {
        String p = profile("a", "cimd", "{}");
        assertTrue(realm(p, policy("a", true, ANY)).on());
        assertFalse(realm(p, policy("a", false, ANY)).on());
        assertFalse(realm(p, policy("b", true, ANY)).on());
        assertFalse(realm(p, policy("a", true, "[]")).on());
        assertFalse(realm(p, policy("a", true, "null")).on());
        assertFalse(realm(profile("a", "pkce-enforcer", "{}"),
            policy("a", true, ANY)).on());
    }

    @Test
    void firstThatMatches() {
        RealmSwitch r = realm(
            profile("a", "cimd", "{\"audiences\":[\"one\"]}") + ","
            + profile("b", "cimd", "{\"audiences\":[\"two\"]}"),
            policy("a", true, condition("claude.ai")) + ","
            + policy("b", true, condition("vscode.dev", "chatgpt.com")));
        assertEquals(List.of("one"),
            r.settings(URL).orElseThrow().audiences());
        assertEquals(List.of("two"),
            r.settings("https://vscode.dev/c").orElseThrow().audiences());
        assertTrue(r.settings("https://other.example/c").isEmpty());
    }

    @Test
    void nativeExecutorInAnEnabledPolicy() {
        String p = profile("a", RealmSwitch.NATIVE_EXECUTOR, "{}");
        assertTrue(realm(p, policy("a", true, ANY)).nativeToo());
        assertFalse(realm(p, policy("a", false, ANY)).nativeToo());
    }

    @ParameterizedTest
    @CsvSource({
        "claude.ai, true", "CLAUDE.AI, true", "claude, false",
        "ai, false", "https://claude.ai/oauth/x, true",
        "https://claude.ai/oauth/*, true", "https://claude.ai/*/x, true",
        "https://claude.ai/*, false", "https://*/oauth/x, false",
        "https://claude.ai/oauth/x/, false", "https://claude.ai/oauth/y, false",
    })
    void patterns(String pattern, boolean matches) {
        assertEquals(matches, new ClientMatch(List.of(pattern), false)
            .test(URL));
        assertEquals(!matches, new ClientMatch(List.of(pattern), true)
            .test(URL));
    }

    /** cimdd takes these for the same client: so must the policy. */
    @ParameterizedTest
    @CsvSource({
        "https://claude.ai/oauth/x, HTTPS://Claude.AI/oauth/x, true",
        "HTTPS://CLAUDE.AI/oauth/*, https://claude.ai/oauth/x, true",
        "https://claude.ai/oauth/x, https://claude.ai:443/oauth/x, true",
        "https://claude.ai:443/oauth/x, https://claude.ai/oauth/x, true",
        "claude.ai, https://CLAUDE.ai:443/oauth/x, true",
        "https://claude.ai/oauth/x, https://claude.ai:8443/oauth/x, false",
        "https://claude.ai/oauth/x, https://claude.ai/OAuth/x, false",
        "https://claude.ai/a:443/x, https://claude.ai/a/x, false",
    })
    void caseAndPort(String pattern, String url, boolean matches) {
        assertEquals(matches,
            new ClientMatch(List.of(pattern), false).test(url));
    }

    @Test
    void anyUrlButNothingElse() {
        assertTrue(new ClientMatch(List.of(), false).test(URL));
        assertFalse(new ClientMatch(List.of(), false).test("account"));
    }
}
