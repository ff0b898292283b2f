// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RedirectUrisTest {
    @ParameterizedTest
    @CsvSource({
        "http://127.0.0.1:33418/, http://127.0.0.1/",
        "http://127.0.0.1:33418, http://127.0.0.1",
        "http://localhost:8080/callback, http://localhost/callback",
        "http://localhost:1?x=y, http://localhost?x=y",
        "https://localhost.example.com:8/cb, https://localhost.example.com:8/cb",
        "http://localhost.example.com:8/cb, http://localhost.example.com:8/cb",
        "http://localhost:80@example.com/, http://localhost:80@example.com/",
        "http://localhost:123456/, http://localhost:123456/",
        "https://127.0.0.1:8443/cb, https://127.0.0.1:8443/cb",
        "http://[::1]:5000/cb, http://[::1]:5000/cb",
        "com.example.app:/cb, com.example.app:/cb",
    })
    void loopbackLosesItsPort(String document, String keycloak) {
        assertEquals(Set.of(keycloak),
            RedirectUris.forKeycloak(List.of(document), true));
        assertEquals(Set.of(document),
            RedirectUris.forKeycloak(List.of(document), false));
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://localhost/callback", "http://localhost",
        "http://127.0.0.1/", "http://127.0.0.1?x", "http://[::1]/cb",
        "http://LOCALHOST/cb"})
    void noPortIsAnyPort(String uri) {
        assertEquals(Set.of(uri),
            RedirectUris.forKeycloak(List.of(uri), true));
        assertEquals(Set.of(), RedirectUris.forKeycloak(List.of(uri), false));
    }

    @ParameterizedTest
    @ValueSource(strings = {"*", "https://example.com/*", "/relative", "+",
        "https://*.example.com/", "https://example.com/#x", "", "-",
        "relative", "https://example.com/a b", "https://example.com/\u00e9",
        "https:", "//example.com/"})
    void nothingThatKeycloakWouldWiden(String uri) {
        assertEquals(Set.of(), RedirectUris.forKeycloak(List.of(uri), true));
    }

    @Test
    void origins() {
        assertEquals(Set.of("https://example.com", "https://example.org:8443"),
            RedirectUris.origins(List.of("https://example.com/cb",
                "https://example.com/other", "https://example.org:8443/",
                "http://localhost/cb", "com.example.app:/cb",
                "https://example.net/*")));
    }

    @ParameterizedTest
    @CsvSource({
        "http://127.0.0.1:5/, true", "http://localhost/cb, true",
        "https://localhost:8443/cb, true", "https://LOCALHOST./cb, true",
        "https://app.localhost/cb, true", "https://127.1.2.3/cb, true",
        "https://[::1]/cb, true", "com.example.app:/cb, true",
        "https:///cb, true", "http://a b/, true",
        "https://example.com/cb, false", "HTTPS://example.com/cb, false",
        "https://localhost.example.com/cb, false",
    })
    void devices(String uri, boolean device) {
        assertEquals(device, RedirectUris.onDevice(uri));
    }

    @ParameterizedTest
    @CsvSource({
        "https://example.com/cb, example.com",
        "http://127.0.0.1:5/, 127.0.0.1",
        "http://[::1]:5/cb, [::1]",
        "com.example.app:/cb, the application for com.example.app: addresses",
        "http://a b/, an invalid address",
    })
    void targets(String uri, String shown) {
        assertEquals(shown, RedirectUris.target(uri));
    }
}
