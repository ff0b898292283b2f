// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AnswerReaderTest {
    private static final String URL = "https://vscode.dev/c.json";
    private static final String GOOD = """
        {"client": {"client_id": "https://vscode.dev/c.json",
          "client_name": "Code \\ud83d\\ude00", "new_member": {"a": [1]},
          "redirect_uris": ["http://127.0.0.1:33418/"],
          "grant_types": ["authorization_code"], "scope": "openid",
          "token_endpoint_auth_signing_alg": "ES256",
          "jwks": {"keys": []}, "dpop_bound_access_tokens": true},
         "decision": {"trust": "trusted", "rule": "vscode",
          "auth_methods": ["private_key_jwt", "none"],
          "redirect_uri_ok": true, "loopback_any_port": true,
          "warnings": ["loopback_only"]},
         "display": {"client_host": "vscode.dev",
          "redirect_hosts": ["127.0.0.1"]},
         "source": {"state": "fresh"}, "ids": {"short": "x"}}
        """;

    private static Answer read(String text) throws EngineException {
        return AnswerReader.read(text.getBytes(StandardCharsets.UTF_8), URL);
    }

    @Test
    void good() throws EngineException {
        ClientRecord c = read(GOOD).client();
        assertEquals(URL, c.clientId());
        assertEquals("Code \ud83d\ude00", c.name());
        assertEquals(List.of("http://127.0.0.1:33418/"), c.redirectUris());
        assertEquals(List.of("private_key_jwt", "none"), c.methods());
        assertEquals("ES256", c.signingAlg());
        assertEquals("{\"keys\":[]}", c.jwks());
        assertTrue(c.anyPort());
        assertTrue(c.hasKeys());
        assertTrue(c.loopbackOnly());
        assertTrue(c.dpop());
        assertFalse(c.stale());
    }

    @Test
    void stale() throws EngineException {
        assertTrue(read(GOOD.replace("\"loopback_only\"",
            "\"loopback_only\", \"stale\"")).client().stale());
    }

    @ParameterizedTest
    @CsvSource({"not_ours, NOT_OURS", "refused, REFUSED",
        "unavailable, UNAVAILABLE", "broken, BROKEN", "new, BROKEN"})
    void problems(String word, Problem.Kind kind) throws EngineException {
        Answer found = read("{\"code\":\"CIMD_E_X\",\"class\":\"" + word
            + "\",\"detail\":\"why\",\"error\":\"invalid_client\"}");
        assertFalse(found.good());
        assertEquals(new Problem("CIMD_E_X", kind, "invalid_client", "why"),
            found.problem());
    }

    /** Keycloak passes over a key that does not say what it is for. */
    @Test
    void keysAreForSignatures() throws EngineException {
        ClientRecord c = read(GOOD.replace("\"keys\": []", "\"keys\": ["
            + "{\"kid\":\"a\"},{\"kid\":\"b\",\"use\":\"enc\"},"
            + "{\"use\":null},{\"use\":\"sig\"},1]")).client();
        assertEquals("{\"keys\":[{\"kid\":\"a\",\"use\":\"sig\"},"
            + "{\"kid\":\"b\",\"use\":\"enc\"},{\"use\":\"sig\"},"
            + "{\"use\":\"sig\"},1]}", c.jwks());
    }

    /** A client that is half understood would be half checked. */
    @ParameterizedTest
    @ValueSource(strings = {
        "\"client_id\": \"https://vscode.dev/c.json\",|",
        "https://vscode.dev/c.json|https://evil.example/c.json",
        "\"redirect_uris\": [\"http://127.0.0.1:33418/\"],|",
        "[\"http://127.0.0.1:33418/\"]|[1]",
        "[\"http://127.0.0.1:33418/\"]|\"http://127.0.0.1/\"",
        "\"trusted\"|\"blocked\"",
        "\"trusted\"|true",
        "\"redirect_uri_ok\": true,|",
        "\"redirect_uri_ok\": true|\"redirect_uri_ok\": \"true\"",
        "\"auth_methods\": [\"private_key_jwt\", \"none\"],|",
        "\"decision\"|\"decisions\"",
        "\"rule\": \"vscode\"|\"rule\": \"a\", \"rule\": \"b\"",
        "\"client_name\": \"Code \\ud83d\\ude00\"|\"client_name\": 1",
    })
    void bad(String change) {
        String[] parts = change.split("\\|", -1);
        String text = GOOD.replace(parts[0], parts[1]);
        assertFalse(text.equals(GOOD), "nothing was changed");
        assertThrows(GarbledException.class, () -> read(text), text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[]", "null", "{}", "{", "{} {}", "\"x\"",
        "{\"code\":\"X\"}", "{\"code\":1,\"class\":\"refused\"}",
        "<html></html>"})
    void noAnswers(String text) {
        assertThrows(GarbledException.class, () -> read(text));
    }

    @Test
    void deep() {
        String deep = "[".repeat(5000) + "]".repeat(5000);
        assertThrows(GarbledException.class, () -> read("{\"a\":" + deep + "}"));
    }
}
