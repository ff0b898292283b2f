// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The last record of each client, for the time that nobody can be asked.
 *
 * <p>Not a cache: it is read only where cimdd gives no answer, for requests
 * that continue what an answer allowed before (a login under way, a refresh,
 * a list of sessions), under the very policy that allowed it, and not longer
 * than cimdd itself would serve a stale document.
 */
final class LastGood {
    static final long MAX_AGE_NANOS = TimeUnit.HOURS.toNanos(24);
    private static final int MAX_CLIENTS = 10_000;

    private record Entry(ClientRecord client, String policy, long at) { }

    private final Map<String, Entry> entries =
        new LinkedHashMap<>(64, 0.75f, true) {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(
                Map.Entry<String, Entry> eldest) {
                return size() > MAX_CLIENTS;
            }
        };

    synchronized void keep(String realmId, String policy,
        ClientRecord client) {
        entries.put(key(realmId, client.clientId()),
            new Entry(client, policy, System.nanoTime()));
    }

    synchronized void forget(String realmId, String clientId) {
        entries.remove(key(realmId, clientId));
    }

    /** The record, if it was accepted under this policy not long ago. */
    synchronized ClientRecord get(String realmId, String policy,
        String clientId) {
        Entry e = entries.get(key(realmId, clientId));
        return e != null && e.policy().equals(policy)
            && System.nanoTime() - e.at() < MAX_AGE_NANOS
            ? e.client() : null;
    }

    private static String key(String realmId, String clientId) {
        return realmId + ' ' + clientId;
    }
}
