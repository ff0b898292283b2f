// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PurposeTest {
    @ParameterizedTest
    @CsvSource({
        "/auth, AUTHORIZE", "/auth/, AUTHORIZE", "/auth//, AUTHORIZE",
        "//auth, AUTHORIZE", "/auth;a=b, AUTHORIZE", ";x/auth;y/, AUTHORIZE",
        "/ext/par/request, AUTHORIZE", "/ext/par/request/, AUTHORIZE",
        "/registrations, AUTHORIZE", "/registrations/, AUTHORIZE",
        "/forgot-credentials, AUTHORIZE", "/forgot-credentials/, AUTHORIZE",
        "/token, TOKEN", "/token/, TOKEN", "/token;x, TOKEN",
        "/token/introspect, DISPLAY", "/logout, DISPLAY", "/auth/device, DISPLAY",
        "/xauth, DISPLAY", "'', DISPLAY",
    })
    void paths(String end, Purpose purpose) {
        assertEquals(purpose, Purpose.ofPath(
            "/realms/mcp/protocol/openid-connect" + end));
    }

    @ParameterizedTest
    @CsvSource({"''", "/", "/admin/realms/mcp/clients", "/auth",
        "/realms/mcp/login-actions/authenticate"})
    void others(String path) {
        assertEquals(Purpose.DISPLAY, Purpose.ofPath(path));
    }
}
