// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import java.util.ArrayList;
import java.util.List;

/**
 * What cimdd accepted: the checked members of a client's document, and what
 * was decided about it.
 *
 * @param clientId the URL
 * @param name client_name, raw; null if there is none
 * @param redirectUris those that the rule lets pass
 * @param anyPort may loopback redirect URIs have any port?
 * @param grants grant types that are left
 * @param methods authentication methods in common, the preferred one first
 * @param signingAlg token_endpoint_auth_signing_alg, or null
 * @param jwks the keys as JSON text, or null
 * @param dpop are its access tokens to be bound to a key of its own?
 * @param trust trusted or unverified
 * @param warnings names of doc/codes.md
 * @param redirectOk does the redirect_uri of the request match? true
 *     without one
 */
record ClientRecord(String clientId, String name, List<String> redirectUris,
    boolean anyPort, List<String> grants, List<String> methods,
    String signingAlg, String jwks, boolean dpop, String trust,
    List<String> warnings, boolean redirectOk) {

    /** The same with one more redirect URI, which cimdd has let pass. */
    ClientRecord with(String redirectUri) {
        List<String> all = new ArrayList<>(redirectUris);
        all.add(redirectUri);
        return new ClientRecord(clientId, name, List.copyOf(all), anyPort,
            grants, methods, signingAlg, jwks, dpop, trust, warnings,
            redirectOk);
    }

    /** The same without redirect URIs: whatever is asked for is refused. */
    ClientRecord withoutRedirects() {
        return new ClientRecord(clientId, name, List.of(), anyPort, grants,
            methods, signingAlg, jwks, dpop, trust, warnings, redirectOk);
    }

    /** Can only programs on the user's device receive the code? */
    boolean loopbackOnly() {
        return warnings.contains("loopback_only");
    }

    /** Does an administrator vouch for it? */
    boolean trusted() {
        return trust.equals("trusted");
    }

    /** Could cimdd not refresh the document? */
    boolean stale() {
        return warnings.contains("stale");
    }

    /** Is authentication by key what the client will be held to? */
    boolean hasKeys() {
        return jwks != null && methods.contains("private_key_jwt");
    }
}
