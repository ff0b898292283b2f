// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jboss.logging.Logger;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.RealmModel;
import org.keycloak.storage.client.ClientStorageProvider;

/**
 * What all requests of one Keycloak share: the engine, whether it is well,
 * and the realms' settings.
 *
 * <p>One instance belongs to the factory of the client storage, where the
 * other providers find it.
 */
final class Bridge {
    static final String ID = "cimd";
    /**
     * How many lookups wait at once; each of them holds a transaction. Those
     * that may fetch a document take long and can be sent by anybody: they
     * have places of their own, so that what goes on needs not wait for them.
     */
    static final int MAX_FETCHING = 48;
    static final int MAX_ASKING = 64;
    private static final long PROBE_NANOS = TimeUnit.SECONDS.toNanos(5);
    /** How long one that did not answer is left alone. */
    private static final long REST_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final byte[] PROBE =
        "{\"client_id\":\"probe\",\"purpose\":\"display\"}"
            .getBytes(StandardCharsets.US_ASCII);
    private static final Logger LOG = Logger.getLogger("cimd.keycloak");

    /**
     * What the engine said.
     *
     * @param bytes as it came, for the time that nobody can be asked
     * @param answer what it means
     */
    record Reply(byte[] bytes, Answer answer) { }

    /** GARBLED: it is there, and what it says is no answer. */
    private enum Health { WELL, GARBLED, DOWN }

    private final CimdEngine engine;
    private final LastGood lastGood;
    private final KeyWatch keyWatch = new KeyWatch();
    private final Semaphore fetching = new Semaphore(MAX_FETCHING);
    private final Semaphore asking = new Semaphore(MAX_ASKING);
    private final AtomicReference<Health> health =
        new AtomicReference<>(Health.WELL);
    /** When it failed, or was tried again, the last time. */
    private final AtomicLong failed = new AtomicLong();
    private final Map<String, RealmSwitch> realms = new ConcurrentHashMap<>();
    private final Map<String, Boolean> warned = new ConcurrentHashMap<>();
    private volatile long probed = System.nanoTime() - PROBE_NANOS;

    Bridge(CimdEngine engine, LastGood lastGood) {
        this.engine = engine;
        this.lastGood = lastGood;
    }

    /** The one of this Keycloak. */
    static Bridge of(KeycloakSession session) {
        return ((CimdClientStorageProviderFactory) session
            .getKeycloakSessionFactory()
            .getProviderFactory(ClientStorageProvider.class, ID)).bridge();
    }

    LastGood lastGood() {
        return lastGood;
    }

    KeyWatch keyWatch() {
        return keyWatch;
    }

    /** What the realm's client policies say now. */
    RealmSwitch realm(RealmModel realm) {
        String profiles = realm.getAttribute(RealmSwitch.PROFILES);
        String policies = realm.getAttribute(RealmSwitch.POLICIES);
        RealmSwitch known = realms.get(realm.getId());
        if (known == null || !known.isOf(profiles, policies)) {
            known = new RealmSwitch(profiles, policies);
            realms.put(realm.getId(), known);
        }
        return known;
    }

    /**
     * One call of the engine. One that hangs would cost everybody the whole
     * timeout: while it is down, one lookup a second finds out about it.
     *
     * @throws GarbledException what it said is no answer about this client
     */
    Reply call(byte[] request, String clientId, Purpose purpose)
        throws EngineException {
        long now = System.nanoTime();
        long last = failed.get();
        if (health.get() == Health.DOWN && (now - last < REST_NANOS
            || !failed.compareAndSet(last, now))) {
            throw new EngineException(engine.describe()
                + " gave no answer a moment ago");
        }
        return ask(request, clientId,
            purpose == Purpose.AUTHORIZE ? fetching : asking);
    }

    /** Says once that the engine is gone, talks nonsense, or is back. */
    private Reply ask(byte[] request, String clientId, Semaphore waiting)
        throws EngineException {
        if (!waiting.tryAcquire()) {
            throw new BusyException("too many lookups are under way");
        }
        try {
            byte[] bytes = engine.client(request);
            Reply reply = new Reply(bytes,
                AnswerReader.read(bytes, clientId));
            if (health.getAndSet(Health.WELL) != Health.WELL) {
                LOG.infof("cimd: %s answers again", engine.describe());
            }
            return reply;
        } catch (BusyException e) {
            throw e;
        } catch (GarbledException e) {
            if (health.getAndSet(Health.GARBLED) != Health.GARBLED) {
                LOG.warnf("cimd: %s gave no answer that is one: %s; until it"
                    + " does, such clients cannot log in, and sessions go on"
                    + " by its last good answers", engine.describe(),
                    e.getMessage());
            }
            throw e;
        } catch (EngineException e) {
            failed.set(System.nanoTime());
            if (health.getAndSet(Health.DOWN) != Health.DOWN) {
                LOG.warnf("cimd: clients identified by URL are off until the"
                    + " engine answers: %s", e.getMessage());
            }
            throw e;
        } finally {
            waiting.release();
        }
    }

    /**
     * Does the engine answer as it should? Asks one that did not, now and then, so that
     * what depends on it comes back by itself.
     */
    boolean up() {
        long now = System.nanoTime();
        if (health.get() != Health.WELL && now - probed >= PROBE_NANOS) {
            probed = now;
            probe();
        }
        return health.get() == Health.WELL;
    }

    /** Says something once in the life of this Keycloak. */
    void warnOnce(String key, String text) {
        if (warned.putIfAbsent(key, true) == null) {
            LOG.warn(text);
        }
    }

    void close() {
        engine.close();
    }

    private void probe() {
        try {
            ask(PROBE, "probe", asking);
        } catch (EngineException e) {
            LOG.debugf("cimd: still off: %s", e.getMessage());
        }
    }
}
