// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import jakarta.ws.rs.core.UriInfo;
import java.util.Locale;
import org.keycloak.models.KeycloakSession;

/**
 * What a lookup is for, which decides whether a document may be fetched.
 *
 * <p>Keycloak does not say; the path of the request does.
 */
enum Purpose {
    AUTHORIZE, TOKEN, DISPLAY;

    private static final String OIDC = "/protocol/openid-connect";

    static Purpose of(KeycloakSession session) {
        String path = path(session);
        if (path.endsWith(OIDC + "/auth")
            || path.endsWith(OIDC + "/ext/par/request")) {
            return AUTHORIZE;
        }
        return path.endsWith(OIDC + "/token") ? TOKEN : DISPLAY;
    }

    /** As cimdd calls it. */
    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The path of the request; empty where there is no request. */
    private static String path(KeycloakSession session) {
        try {
            UriInfo uri = session.getContext().getUri();
            return uri == null ? "" : uri.getPath();
        } catch (RuntimeException e) {
            return ""; // a timer or an import: no request is under way
        }
    }
}
