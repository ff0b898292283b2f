// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class ClientRecordTest {
    private static final String CALLBACK = "http://127.0.0.1:33418/";

    private static ClientRecord record() {
        return new ClientRecord("https://vscode.dev/c.json", "Code",
            List.of(CALLBACK), true, List.of("authorization_code"),
            List.of("private_key_jwt"), "ES256", "{\"keys\":[]}", true,
            "trusted", List.of("loopback_only"), true);
    }

    @Test
    void redirects() {
        assertEquals(List.of(CALLBACK, "http://[::1]:5/"),
            record().with("http://[::1]:5/").redirectUris());
        assertEquals(List.of(), record().withoutRedirects().redirectUris());
    }

    @Test
    void nothingElseIsLost() {
        assertEquals(record(), record().withoutRedirects().with(CALLBACK));
        assertTrue(record().withoutRedirects().hasKeys());
        assertTrue(record().withoutRedirects().loopbackOnly());
    }
}
