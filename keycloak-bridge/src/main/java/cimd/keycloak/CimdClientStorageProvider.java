// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import java.util.Map;
import java.util.stream.Stream;
import org.jboss.logging.Logger;
import org.keycloak.models.ClientModel;
import org.keycloak.models.ClientProvider;
import org.keycloak.models.ClientScopeModel;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.RealmModel;
import org.keycloak.models.cache.CacheRealmProvider;
import org.keycloak.storage.StorageId;
import org.keycloak.storage.client.ClientStorageProvider;
import org.keycloak.storage.client.ClientStorageProviderModel;

/** Clients of one realm in one session. */
public final class CimdClientStorageProvider implements ClientStorageProvider {
    private static final Logger LOG = Logger.getLogger("cimd.keycloak");
    /** How many clients a search in the console shows. */
    private static final int MAX_FOUND = 50;

    private final KeycloakSession session;
    private final ClientStorageProviderModel component;

    CimdClientStorageProvider(KeycloakSession session,
        ClientStorageProviderModel component) {
        this.session = session;
        this.component = component;
    }

    /**
     * Never null for an id that could be ours: Keycloak takes null for the
     * end of the client, and drops its sessions and consents. Whoever may not
     * come in (any more) is there, disabled.
     */
    @Override
    public ClientModel getClientById(RealmModel realm, String id) {
        String clientId = ClientIds.clientId(
            new StorageId(id).getExternalId());
        if (clientId == null) {
            return null;
        }
        ClientModel own = Purpose.of(session) == Purpose.DISPLAY ? null
            : registered(realm, id, clientId);
        return own != null ? own : model(realm, clientId,
            new Lookup(session, realm).answer(clientId));
    }

    /**
     * A client that was registered in Keycloak with the same client_id wins.
     * Once a client_id has led to us, Keycloak keeps that for good, and would
     * never look among its own again.
     */
    private ClientModel registered(RealmModel realm, String id,
        String clientId) {
        String known = "cimd.registered " + id;
        if (session.getAttribute(known) != null) {
            return null; // this request has looked before
        }
        ClientModel own = session.getProvider(ClientProvider.class)
            .getClientByClientId(realm, clientId);
        CacheRealmProvider cache =
            session.getProvider(CacheRealmProvider.class);
        if (own == null) {
            session.setAttribute(known, true);
        } else if (cache != null) {
            cache.registerClientInvalidation(id, clientId, realm.getId());
        }
        return own;
    }

    /** Null for whoever may not come in: no id is issued to them. */
    @Override
    public ClientModel getClientByClientId(RealmModel realm,
        String clientId) {
        if (!ClientIds.isUrl(clientId) || !ClientIds.fits(clientId)
            || !RealmState.of(session, realm).accepts(clientId)) {
            return null;
        }
        Answer answer = new Lookup(session, realm).answer(clientId);
        return answer.good() ? model(realm, clientId, answer) : null;
    }

    @Override
    public Stream<ClientModel> searchClientsByClientIdStream(RealmModel realm,
        String clientId, Integer first, Integer max) {
        Stream<ClientModel> found = bridge().lastGood()
            .search(realm.getId(), clientId, MAX_FOUND).stream()
            .map(id -> model(realm, id, new Lookup(session, realm)
                .answer(id)));
        Stream<ClientModel> rest = first == null || first < 0 ? found
            : found.skip(first);
        return max == null || max < 0 ? rest : rest.limit(max);
    }

    @Override
    public Stream<ClientModel> searchClientsByAttributes(RealmModel realm,
        Map<String, String> attributes, Integer first, Integer max) {
        return Stream.empty();
    }

    @Override
    public Map<String, ClientScopeModel> getClientScopes(RealmModel realm,
        ClientModel client, boolean defaultScopes) {
        return client.getClientScopes(defaultScopes);
    }

    @Override
    public void close() {
        // Nothing is held beyond the session.
    }

    private Bridge bridge() {
        return Bridge.of(session);
    }

    private ClientModel model(RealmModel realm, String clientId,
        Answer answer) {
        Settings settings = bridge().realm(realm).settings(clientId)
            .orElse(null);
        CimdClientModel model = new CimdClientModel(session, realm, component,
            clientId, answer.client(), settings);
        if (answer.good() && model.getAttribute(
            CimdClientModel.JWKS) != null && !keysAreCurrent(model,
            answer.client().jwks())) {
            if (Purpose.of(session) != Purpose.DISPLAY) {
                Report.of(session, realm).refusedOnce(clientId, new Problem(
                    Problem.KEYS, Problem.Kind.UNAVAILABLE,
                    "temporarily_unavailable",
                    "keys changed within seconds; the old ones still stand"));
            }
            return new CimdClientModel(session, realm, component, clientId,
                null, settings);
        }
        return model;
    }

    /** A lookup never throws: keys that Keycloak cannot read are not there. */
    private boolean keysAreCurrent(ClientModel model, String jwks) {
        try {
            return bridge().keyWatch().current(session, model, jwks);
        } catch (RuntimeException e) {
            LOG.warnf("cimd: Keycloak cannot read a client's keys: %s",
                e.getClass().getName());
            return false;
        }
    }
}
