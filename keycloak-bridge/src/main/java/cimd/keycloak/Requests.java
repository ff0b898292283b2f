// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import jakarta.ws.rs.core.MultivaluedMap;
import org.keycloak.common.ClientConnection;
import org.keycloak.http.HttpRequest;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.RealmModel;

/** What the request that is under way says. */
final class Requests {
    private Requests() {
    }

    static boolean hasAssertion(KeycloakSession session) {
        return form(session, "client_assertion") != null;
    }

    /**
     * Where the request comes from, or null without one. Keycloak 26.0 to 26.2
     * look clients up while they write sessions down, in a thread of its own.
     */
    static String remoteAddress(KeycloakSession session) {
        try {
            ClientConnection from = session.getContext().getConnection();
            return from == null ? null : from.getRemoteAddr();
        } catch (RuntimeException e) {
            return null;
        }
    }

    /** Does an administrator's request change this very realm? */
    static boolean administers(KeycloakSession session, RealmModel realm) {
        try {
            String path = session.getContext().getUri().getPath() + "/";
            return path.contains("/admin/realms/" + realm.getName() + "/");
        } catch (RuntimeException e) {
            return false; // no request is under way
        }
    }

    /** A parameter of the form or of the query, or null. */
    static String parameter(KeycloakSession session, String name) {
        String found = form(session, name);
        try {
            return found != null ? found : session.getContext().getUri()
                .getQueryParameters().getFirst(name);
        } catch (RuntimeException e) {
            return null;
        }
    }

    /** A parameter of the form, or null without one, or without a request. */
    static String form(KeycloakSession session, String name) {
        try {
            HttpRequest request = session.getContext().getHttpRequest();
            // Elsewhere a body is JSON, and not ours to read.
            if (request == null || !"POST".equals(request.getHttpMethod())
                || !session.getContext().getUri().getPath()
                    .contains("/protocol/openid-connect/")) {
                return null;
            }
            MultivaluedMap<String, String> form =
                request.getDecodedFormParameters();
            return form == null ? null : form.getFirst(name);
        } catch (RuntimeException e) {
            return null; // a timer or an import: no request is under way
        }
    }
}
