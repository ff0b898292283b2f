// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingsTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static Settings of(String form) throws JsonProcessingException {
        return Settings.of(JSON.readTree(form));
    }

    private static void same(String policy, Settings found)
        throws JsonProcessingException {
        assertEquals(JSON.readTree(policy), JSON.readTree(found.policy()));
    }

    @Test
    void emptyFormAdmitsNobody() throws JsonProcessingException {
        String nobody = "{\"trust\":\"trusted\",\"default\":\"deny\","
            + "\"redirects\":[\"document\"],\"update\":\"live\"}";
        same(nobody, of("{}"));
        same(nobody, of("{\"clients\":[],\"others\":\"\",\"scopes\":[\" \"],"
            + "\"confidential-only\":\"false\",\"update\":null}"));
    }

    @Test
    void fullForm() throws JsonProcessingException {
        Settings s = of("{\"clients\":[\"vscode\",\" https://x.example/c \"],"
            + "\"blocked\":[\"evil.example\"],\"others\":\"wait for approval\","
            + "\"redirects\":\"same-site\",\"more-redirects\":[\"scheme:x\"],"
            + "\"scopes\":[\"a\"],\"audiences\":[\"u\",\"v\"],"
            + "\"confidential-only\":\"true\",\"update\":\"pinned\"}");
        same("{\"trust\":\"trusted\",\"allow\":[\"vscode\","
            + "\"https://x.example/c\"],\"deny\":[\"evil.example\"],"
            + "\"default\":\"pending\",\"redirects\":[\"document\","
            + "\"same-site\",\"scheme:x\"],\"scopes\":[\"a\"],"
            + "\"auth\":[\"private_key_jwt\"],\"update\":\"pinned\"}", s);
        assertEquals(List.of("a"), s.scopes());
        assertEquals(List.of("u", "v"), s.audiences());
    }

    /** cimdd says what is wrong with it. */
    @Test
    void handsOnWhatItDoesNotKnow() throws JsonProcessingException {
        same("{\"trust\":\"trusted\",\"allow\":[\"one\"],\"default\":\"maybe\","
            + "\"redirects\":[\"nowhere\"],\"update\":\"never\"}",
            of("{\"clients\":\"one\",\"others\":\"maybe\","
                + "\"redirects\":\"nowhere\",\"update\":\"never\"}"));
    }

    /** What would restrict is not dropped because of its type. */
    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "blocked; 1; deny; 1", "blocked; true; deny; true",
        "blocked; {\"a\":1}; deny; {\"a\":1}",
        "blocked; [\"a\",1]; deny; [\"a\",1]",
        "blocked; \"a\"; deny; [\"a\"]",
        "confidential-only; \"yes\"; auth; [\"yes\"]",
        "confidential-only; 1; auth; [\"1\"]",
        "confidential-only; {\"a\":1}; auth; {\"a\":1}",
        "confidential-only; true; auth; [\"private_key_jwt\"]",
    })
    void handsOnWhatIsOfAnotherType(String field, String value, String member,
        String handed) throws JsonProcessingException {
        Settings s = of("{\"" + field + "\":" + value + "}");
        assertEquals(JSON.readTree(handed),
            JSON.readTree(s.policy()).get(member));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "document; [document]",
        "loopback-exact; [loopback-exact]",
        "same-origin; [document, same-origin]",
        "same-origin, no loopback; [same-origin]",
        "same-site, no loopback; [same-site]",
    })
    void redirects(String choice, String words) throws IOException {
        Settings s = of("{\"redirects\":\"" + choice + "\"}");
        assertEquals(words, JSON.readerForListOf(String.class).readValue(
            JSON.readTree(s.policy()).get("redirects")).toString());
    }

    @Test
    void audienceOfAToken() {
        List<String> allowed = List.of("https://a/", "https://b/");
        assertEquals("https://b/",
            ResourceAudienceMapper.audience(allowed, "https://b/"));
        assertEquals("https://a/",
            ResourceAudienceMapper.audience(allowed, "https://c/"));
        assertEquals("https://a/",
            ResourceAudienceMapper.audience(allowed, null));
        assertNull(ResourceAudienceMapper.audience(List.of(), "https://a/"));
    }
}
