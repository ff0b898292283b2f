// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import jakarta.ws.rs.core.UriInfo;
import java.util.List;
import java.util.Locale;
import org.keycloak.models.KeycloakSession;

/**
 * What a lookup is for, which decides whether a document may be fetched.
 *
 * <p>Keycloak does not say; the path of the request does, in every form in
 * which Keycloak's router takes it.
 */
enum Purpose {
    AUTHORIZE, TOKEN, DISPLAY;

    private static final String OIDC = "/protocol/openid-connect";
    /** The last two lead to the login page as the first does. */
    private static final List<String> AUTHORIZATIONS = List.of("/auth",
        "/ext/par/request", "/registrations", "/forgot-credentials");

    static Purpose of(KeycloakSession session) {
        return ofPath(path(session));
    }

    static Purpose ofPath(String path) {
        String plain = path.replaceAll(";[^/]*", "").replaceAll("/+", "/")
            .replaceAll("/$", "");
        if (AUTHORIZATIONS.stream().anyMatch(a -> plain.endsWith(OIDC + a))) {
            return AUTHORIZE;
        }
        return plain.endsWith(OIDC + "/token") ? TOKEN : DISPLAY;
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
