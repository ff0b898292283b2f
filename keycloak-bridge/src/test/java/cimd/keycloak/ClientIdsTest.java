// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ClientIdsTest {
    @Test
    void thereAndBack() {
        String url = "https://claude.ai/oauth/claude-code-client-metadata";
        assertEquals(url, ClientIds.clientId(ClientIds.external(url)));
    }

    @Test
    void longestFitsIntoTheColumn() {
        String url = "https://e.example/" + "x".repeat(173);
        assertTrue(ClientIds.fits(url));
        assertTrue(ClientIds.external(url).length() <= 255);
        assertFalse(ClientIds.fits(url + "x"));
        assertFalse(ClientIds.fits("https://e.example/"
            + "\u00e9".repeat(100)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "x", "!!!", "aHR0cDovL3guZXhhbXBsZS8",
        "aHR0cHM6Ly94LmV4YW1wbGUvYw==", "aHR0cHM6Ly94LmV4YW1wbGUv_w",
        "https://claude.ai/x", "aHR0cHM6Ly94LmV4YW1wbGUvZ3"})
    void notOurs(String external) {
        assertNull(ClientIds.clientId(external), external);
    }

    @Test
    void urls() {
        assertTrue(ClientIds.isUrl("https://x.example/"));
        assertTrue(ClientIds.isUrl("HTTPS://x.example/"));
        for (String id : new String[] {null, "", "account", "https://",
            "http://x.example/", "httpsx://x.example/"}) {
            assertFalse(ClientIds.isUrl(id), id);
        }
    }
}
