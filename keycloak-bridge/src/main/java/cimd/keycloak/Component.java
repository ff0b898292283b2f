// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import org.keycloak.component.ComponentModel;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.RealmModel;
import org.keycloak.storage.client.ClientStorageProvider;

/**
 * Keeps the storage component of a realm in step with its client policies,
 * so that the console is enough to switch the bridge on.
 *
 * <p>It is made when it is first needed, and never taken away: ids that it
 * issued must be answered as long as there are sessions and consents. Without
 * a policy it answers no new client.
 */
final class Component {
    private static final String TYPE = ClientStorageProvider.class.getName();

    private Component() {
    }

    /** Is the bridge on for this client, with its component in place? */
    static boolean inStep(KeycloakSession session, RealmModel realm,
        String clientId) {
        if (Bridge.of(session).realm(realm).settings(clientId).isEmpty()) {
            return false;
        }
        ensure(realm);
        return true;
    }

    static void ensure(RealmModel realm) {
        boolean there = realm.getComponentsStream(realm.getId(), TYPE)
            .anyMatch(c -> Bridge.ID.equals(c.getProviderId()));
        if (!there) {
            realm.addComponentModel(fresh(realm));
        }
    }

    private static ComponentModel fresh(RealmModel realm) {
        ComponentModel model = new ComponentModel();
        model.setName("cimd");
        model.setProviderId(Bridge.ID);
        model.setProviderType(TYPE);
        model.setParentId(realm.getId());
        model.put("enabled", "true");
        model.put("priority", "0");
        // Freshness is cimdd's: a copy in Keycloak would outlive a block.
        model.put("cachePolicy", "NO_CACHE");
        return model;
    }
}
