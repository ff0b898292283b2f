// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

/**
 * Why there is no client: a problem document of cimdd, or one of ours.
 *
 * @param code the stable name, as in doc/codes.md
 * @param kind its class
 * @param error an OAuth error that anyone may see
 * @param detail one sentence for administrators, never for the user
 */
record Problem(String code, Kind kind, String error, String detail) {

    /** The classes of doc/codes.md: hosts act on these alone. */
    enum Kind { NOT_OURS, REFUSED, UNAVAILABLE, BROKEN }

    /** The engine gave no answer. */
    static final String ENGINE = "KEYCLOAK_E_ENGINE";
    /** The engine's answer is none that we understand. */
    static final String ANSWER = "KEYCLOAK_E_ANSWER";
    /** The realm has no executor of ours in an enabled policy any more. */
    static final String SWITCHED_OFF = "KEYCLOAK_E_OFF";
    /** The client_id does not fit into Keycloak's columns. */
    static final String TOO_LONG = "KEYCLOAK_E_LENGTH";
    /** The redirect_uri of the request is not one of the client's. */
    static final String REDIRECT = "KEYCLOAK_E_REDIRECT_URI";
    /** A grant that the client does not have, or that is none of ours. */
    static final String GRANT = "KEYCLOAK_E_GRANT";
    /** Keys changed, and Keycloak still has the old ones. */
    static final String KEYS = "KEYCLOAK_E_KEYS";

    /** No scope that would make Keycloak ask the user. */
    static final String CONSENT = "KEYCLOAK_E_CONSENT";

    static Problem engine(EngineException e) {
        return new Problem(ENGINE, Kind.UNAVAILABLE,
            "temporarily_unavailable", e.getMessage());
    }

    static Problem grant(String grantType) {
        return new Problem(GRANT, Kind.REFUSED, "unauthorized_client",
            "grant_type " + grantType + " is not one of the client's");
    }

    static Problem unreadable(EngineException e) {
        return new Problem(ANSWER, Kind.BROKEN, "server_error",
            e.getMessage());
    }

    /** What the user reads on Keycloak's error page. */
    String sentence(String clientId) {
        String host = Names.host(clientId);
        return switch (kind) {
            case UNAVAILABLE -> "The client at " + host + " cannot be checked"
                + " right now. Please try again in a minute.";
            case BROKEN, NOT_OURS -> "The client at " + host + " cannot be"
                + " checked, because this server is not set up well. Please"
                + " tell its administrator.";
            case REFUSED -> switch (code) {
                case "CIMD_E_PENDING" -> "The client at " + host + " waits for"
                    + " the approval of an administrator of this server.";
                case "CIMD_E_POLICY", "CIMD_E_CONSUMER", "CIMD_E_PORT" ->
                    "The client at " + host + " is not allowed on this"
                    + " server.";
                case "CIMD_E_BLOCKED" -> "The client at " + host + " is"
                    + " blocked on this server.";
                case REDIRECT -> "The client at " + host + " does not list the"
                    + " address that it wants you to return to.";
                default -> "The client at " + host + " is not described as it"
                    + " must be, so it cannot be used here.";
            };
        };
    }
}
