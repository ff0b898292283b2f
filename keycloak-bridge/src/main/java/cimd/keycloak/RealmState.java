// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import org.keycloak.models.KeycloakSession;
import org.keycloak.models.RealmModel;

/** Is the bridge on in a realm, and does it take new clients there? */
final class RealmState {
    private final Bridge bridge;
    private final RealmModel realm;
    private final RealmSwitch said;

    private RealmState(Bridge bridge, RealmModel realm) {
        this.bridge = bridge;
        this.realm = realm;
        this.said = bridge.realm(realm);
    }

    static RealmState of(KeycloakSession session, RealmModel realm) {
        return new RealmState(Bridge.of(session), realm);
    }

    /** On, with an engine that answers, and no rival in the realm. */
    boolean accepts() {
        return said.on() && !standsBack() && bridge.up();
    }

    /** Would a client with this client_id be looked up? */
    boolean accepts(String clientId) {
        return said.settings(clientId).isPresent() && !standsBack();
    }

    /**
     * Keycloak's own CIMD would take a client of ours for one that it has to
     * store, and its row would hide ours for ever.
     */
    boolean standsBack() {
        boolean back = said.nativeToo() && NativeFeature.enabled();
        if (back) {
            bridge.warnOnce("native " + realm.getId(), "cimd: realm "
                + realm.getName() + " uses Keycloak's own executor "
                + RealmSwitch.NATIVE_EXECUTOR + ": ours takes no new clients"
                + " there. Remove one of the two from its client policies.");
        }
        return back;
    }
}
