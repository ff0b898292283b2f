// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import org.keycloak.models.ClientModel;
import org.keycloak.models.KeycloakSession;
import org.keycloak.sessions.AuthenticationSessionModel;

/**
 * What a client is called on Keycloak's pages: its host above all, because
 * that is all that is proven about it.
 *
 * <p>Where a user is asked to consent, the name is the one part of the page
 * that is ours. So it also says which host the user is sent back to, that
 * nobody vouches for the client, and that any program on the user's device
 * could be the one that gets the code.
 */
final class ClientName {
    private ClientName() {
    }

    /** @param record null for a client that is disabled */
    static String of(KeycloakSession session, String clientId,
        ClientRecord record) {
        String host = Names.host(clientId);
        String name = record == null ? null : Names.clean(record.name());
        String label = name == null ? host : name + " (" + host + ")";
        String redirectUri = redirectUri(session, clientId);
        return record == null || redirectUri == null ? label
            : atConsent(label, record, redirectUri);
    }

    static String atConsent(String label, ClientRecord record,
        String redirectUri) {
        StringBuilder text = new StringBuilder(label);
        if (!record.trusted()) {
            text.append(", which is not verified");
        }
        String to = RedirectUris.target(redirectUri);
        text.append(", and return to ").append(to);
        if (record.loopbackOnly() || RedirectUris.onDevice(redirectUri)) {
            text.append(" on this device. Any program on this device could"
                + " pretend to be this client: go on only if you have just"
                + " started it here yourself");
        }
        return text.toString();
    }

    /** Where the user of a login that is under way is sent back to. */
    private static String redirectUri(KeycloakSession session,
        String clientId) {
        AuthenticationSessionModel login =
            session.getContext().getAuthenticationSession();
        ClientModel client = session.getContext().getClient();
        return login != null && client != null
            && clientId.equals(client.getClientId())
            ? login.getRedirectUri() : null;
    }
}
