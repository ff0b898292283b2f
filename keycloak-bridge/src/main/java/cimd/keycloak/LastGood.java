// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The last answer about each client, for the time that nobody can be asked.
 *
 * <p>Not a cache: it is read only where cimdd gives no answer, for requests
 * that continue what an answer allowed before (a login under way, a refresh,
 * a list of sessions), under the very policy that allowed it, and for a day
 * after the last answer from a fresh document. Answers from a stale one, which
 * cimdd serves for a day itself, do not prolong that. Clients to which tokens
 * were given are kept in files, too, because sessions outlive a restart; a
 * request alone, which anybody can send, makes none.
 */
final class LastGood {
    static final long MAX_AGE_MILLIS = TimeUnit.HOURS.toMillis(24);
    /** An answer may have 256 KB, so their number says nothing. */
    private static final long MAX_BYTES = 32L << 20;
    /** What an entry takes beside its texts, roughly. */
    private static final int OVERHEAD = 256;

    /**
     * @param policy the realm's policy that allowed it
     * @param at when, in milliseconds since 1970
     * @param answer what cimdd said
     * @param trusted does somebody vouch for the client?
     */
    record Entry(String policy, long at, byte[] answer, boolean trusted) {
        boolean holds(String policyNow, long now) {
            return policy.equals(policyNow) && now - at < MAX_AGE_MILLIS
                && at - now < TimeUnit.MINUTES.toMillis(5);
        }
    }

    private record Key(String realmId, String clientId) { }

    private final LastGoodFiles files;
    private final long maxBytes;
    /** The one that was not asked for longest comes first. */
    private final Map<Key, Entry> entries =
        new LinkedHashMap<>(64, 0.75f, true);
    /** Of all entries; guarded by them. */
    private long bytes;

    LastGood(LastGoodFiles files) {
        this(files, MAX_BYTES);
    }

    /** @param maxBytes what all answers in memory may take */
    LastGood(LastGoodFiles files, long maxBytes) {
        this.files = files;
        this.maxBytes = maxBytes;
    }

    /** In memory, as long as there is room. */
    void keep(String realmId, String clientId, String policy, byte[] answer,
        boolean trusted) {
        synchronized (entries) {
            put(new Key(realmId, clientId), new Entry(policy,
                System.currentTimeMillis(), answer, trusted));
        }
    }

    /** A user has let it in: keep what is known beyond a restart. */
    void gotTokens(String realmId, String clientId) {
        Entry e;
        synchronized (entries) {
            e = entries.get(new Key(realmId, clientId));
        }
        if (e != null) {
            files.write(realmId, clientId, e);
        }
    }

    void forget(String realmId, String clientId) {
        synchronized (entries) {
            drop(new Key(realmId, clientId));
        }
        files.remove(realmId, clientId);
    }

    private void put(Key key, Entry e) {
        drop(key);
        entries.put(key, e);
        bytes += size(key, e);
        Iterator<Map.Entry<Key, Entry>> eldest =
            entries.entrySet().iterator();
        while (bytes > maxBytes && eldest.hasNext()) {
            Map.Entry<Key, Entry> one = eldest.next();
            bytes -= size(one.getKey(), one.getValue());
            eldest.remove();
        }
    }

    private void drop(Key key) {
        Entry old = entries.remove(key);
        bytes -= old == null ? 0 : size(key, old);
    }

    /** The policy is the realm's own text, which all its clients share. */
    private static long size(Key key, Entry e) {
        return OVERHEAD + 2L * key.clientId().length() + e.answer().length;
    }

    /** What was allowed under this policy not long ago, or null. */
    ClientRecord get(String realmId, String clientId, String policy)
        throws EngineException {
        Entry e;
        synchronized (entries) {
            e = entries.get(new Key(realmId, clientId));
        }
        if (e == null) {
            e = files.read(realmId, clientId);
        }
        return e == null || !e.holds(policy, System.currentTimeMillis())
            ? null : AnswerReader.read(e.answer(), clientId).client();
    }

    /** Clients of a realm that came by since the start, for the console. */
    List<String> search(String realmId, String part, int max) {
        synchronized (entries) {
            return entries.keySet().stream()
                .filter(k -> k.realmId().equals(realmId)
                    && k.clientId().contains(part))
                .map(Key::clientId).sorted().limit(max).toList();
        }
    }
}
