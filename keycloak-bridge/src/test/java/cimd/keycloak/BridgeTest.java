// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.keycloak.Config;

class BridgeTest {
    private static final byte[] REQUEST = {'{', '}'};
    private static final byte[] ANSWER = {'[', ']'};

    /** Answers as it is told to, and counts. */
    private static final class Engine implements CimdEngine {
        private final AtomicInteger asked = new AtomicInteger();
        private final Semaphore inside = new Semaphore(0);
        private final Semaphore leave = new Semaphore(0);
        private volatile boolean slow;
        private volatile boolean gone;

        @Override
        public byte[] client(byte[] request) throws EngineException {
            asked.incrementAndGet();
            if (slow) {
                inside.release();
                leave.acquireUninterruptibly();
            }
            if (gone) {
                throw new EngineException("gone");
            }
            return ANSWER;
        }

        @Override
        public String describe() {
            return "engine of a test";
        }

        @Override
        public void close() {
            // Holds nothing.
        }
    }

    private final Engine engine = new Engine();
    private final Bridge bridge = new Bridge(engine,
        new LastGood(new LastGoodFiles(null)));

    /** Fetches that take long stop no refresh, and are no outage. */
    @Test
    void busyIsNoOutage() throws Exception {
        engine.slow = true;
        ExecutorService threads = Executors.newCachedThreadPool();
        for (int i = 0; i < Bridge.MAX_FETCHING; i++) {
            threads.submit(() -> bridge.call(REQUEST, Purpose.AUTHORIZE));
        }
        engine.inside.acquire(Bridge.MAX_FETCHING);
        engine.slow = false;
        assertThrows(BusyException.class,
            () -> bridge.call(REQUEST, Purpose.AUTHORIZE));
        assertArrayEquals(ANSWER, bridge.call(REQUEST, Purpose.TOKEN));
        assertArrayEquals(ANSWER, bridge.call(REQUEST, Purpose.DISPLAY));
        assertTrue(bridge.up());
        assertEquals(Bridge.MAX_FETCHING + 2, engine.asked.get());
        engine.leave.release(Bridge.MAX_FETCHING);
        threads.shutdown();
        assertTrue(threads.awaitTermination(60, TimeUnit.SECONDS));
        assertArrayEquals(ANSWER, bridge.call(REQUEST, Purpose.AUTHORIZE));
    }

    @Test
    void oneThatIsGoneIsLeftAlone() throws Exception {
        engine.gone = true;
        assertThrows(EngineException.class,
            () -> bridge.call(REQUEST, Purpose.TOKEN));
        for (int i = 0; i < 5; i++) {
            assertThrows(EngineException.class,
                () -> bridge.call(REQUEST, Purpose.AUTHORIZE));
        }
        assertTrue(engine.asked.get() < 6, "not one by one");
        engine.gone = false;
        Thread.sleep(1100);
        assertArrayEquals(ANSWER, bridge.call(REQUEST, Purpose.TOKEN));
        assertArrayEquals(ANSWER, bridge.call(REQUEST, Purpose.TOKEN));
    }

    /** The metadata asks by itself, so that clients try again. */
    @Test
    void probed() {
        engine.gone = true;
        assertThrows(EngineException.class,
            () -> bridge.call(REQUEST, Purpose.TOKEN));
        engine.gone = false;
        assertTrue(bridge.up());
    }

    private static Config.Scope options(String name, String value) {
        return (Config.Scope) Proxy.newProxyInstance(
            BridgeTest.class.getClassLoader(),
            new Class<?>[] {Config.Scope.class}, (self, method, args) ->
                args.length == 2 && args[0].equals(name) ? value
                    : args[args.length - 1]);
    }

    @ParameterizedTest
    @ValueSource(strings = {"4499", "0", "-1", "5s", "", "99999999999"})
    void timeoutsThatWouldLookLikeOutages(String value) {
        Exception e = assertThrows(IllegalArgumentException.class,
            () -> new CimdClientStorageProviderFactory().init(
                options("timeout", value)));
        assertTrue(e.getMessage().contains("at least 4500"));
    }

    @Test
    void goodTimeout() {
        new CimdClientStorageProviderFactory().init(
            options("timeout", "4500"));
    }
}
