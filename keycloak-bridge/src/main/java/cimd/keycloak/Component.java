// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jboss.logging.Logger;
import org.keycloak.component.ComponentModel;
import org.keycloak.models.AbstractKeycloakTransaction;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.RealmModel;
import org.keycloak.storage.client.ClientStorageProvider;

/**
 * Keeps the storage component of a realm in step with its client policies,
 * so that the console is enough to switch the bridge on.
 *
 * <p>It is made when it is first needed, and never taken away: ids that it
 * issued must be answered as long as there are sessions and consents. Without
 * a policy it takes no new client. Its id follows from the realm's, so that
 * two nodes cannot make two, and one that was deleted comes back as itself.
 */
final class Component {
    private static final String TYPE = ClientStorageProvider.class.getName();
    private static final Logger LOG = Logger.getLogger("cimd.keycloak");
    /** Realms for which a transaction that is under way makes it. */
    private static final Set<String> MAKING = ConcurrentHashMap.newKeySet();

    private Component() {
    }

    /** @return is it there, as far as this session can see? */
    static boolean ensure(KeycloakSession session, RealmModel realm) {
        if (there(realm)) {
            return true;
        }
        if (!MAKING.add(realm.getId())) {
            return false;
        }
        session.getTransactionManager().enlistAfterCompletion(
            new Done(realm.getId()));
        realm.addComponentModel(fresh(realm));
        LOG.infof("cimd: realm %s takes clients identified by URL",
            realm.getName());
        return true;
    }

    private static boolean there(RealmModel realm) {
        return realm.getComponentsStream(realm.getId(), TYPE)
            .anyMatch(c -> Bridge.ID.equals(c.getProviderId()));
    }

    private static ComponentModel fresh(RealmModel realm) {
        ComponentModel model = new ComponentModel();
        model.setId(UUID.nameUUIDFromBytes(("cimd " + realm.getId())
            .getBytes(StandardCharsets.UTF_8)).toString());
        model.setName(Bridge.ID);
        model.setProviderId(Bridge.ID);
        model.setProviderType(TYPE);
        model.setParentId(realm.getId());
        model.put("enabled", "true");
        model.put("priority", "0");
        // Freshness is cimdd's: a copy in Keycloak would outlive a block.
        model.put("cachePolicy", "NO_CACHE");
        return model;
    }

    /** Others may look again, whether it was made or not. */
    private static final class Done extends AbstractKeycloakTransaction {
        private final String realmId;

        Done(String realmId) {
            this.realmId = realmId;
        }

        @Override
        protected void commitImpl() {
            MAKING.remove(realmId);
        }

        @Override
        protected void rollbackImpl() {
            MAKING.remove(realmId);
        }
    }
}
