// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import org.keycloak.models.KeycloakSession;

/**
 * What a client is called on Keycloak's pages: its host above all, because
 * that is all that is proven about it.
 */
final class ClientName {
    private ClientName() {
    }

    /** @param record null for a client that is disabled */
    static String of(KeycloakSession session, String clientId,
        ClientRecord record) {
        String host = Names.host(clientId);
        String name = record == null ? null : Names.clean(record.name());
        return name == null ? host : name + " (" + host + ")";
    }
}
