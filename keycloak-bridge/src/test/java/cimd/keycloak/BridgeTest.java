// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
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
    private static final byte[] ANSWER = Fakes.problem("CIMD_E_NOT_CIMD",
        "not_ours").getBytes(StandardCharsets.UTF_8);

    /** Answers as it is told to, and counts. */
    private static final class Engine implements CimdEngine {
        private final AtomicInteger asked = new AtomicInteger();
        private final Semaphore inside = new Semaphore(0);
        private final Semaphore leave = new Semaphore(0);
        private volatile boolean slow;
        private volatile boolean gone;
        private volatile byte[] says = ANSWER;

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
            return says;
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

    private Bridge.Reply call(Purpose purpose) throws EngineException {
        return bridge.call(REQUEST, "c", purpose);
    }

    private void assertAnswers(Purpose purpose) throws EngineException {
        assertArrayEquals(ANSWER, call(purpose).bytes());
    }

    /** Fetches that take long stop no refresh, and are no outage. */
    @Test
    void busyIsNoOutage() throws Exception {
        engine.slow = true;
        ExecutorService threads = Executors.newCachedThreadPool();
        for (int i = 0; i < Bridge.MAX_FETCHING; i++) {
            threads.submit(() -> call(Purpose.AUTHORIZE));
        }
        engine.inside.acquire(Bridge.MAX_FETCHING);
        engine.slow = false;
        assertThrows(BusyException.class,
            () -> call(Purpose.AUTHORIZE));
        assertAnswers(Purpose.TOKEN);
        assertAnswers(Purpose.DISPLAY);
        assertTrue(bridge.up());
        assertEquals(Bridge.MAX_FETCHING + 2, engine.asked.get());
        engine.leave.release(Bridge.MAX_FETCHING);
        threads.shutdown();
        assertTrue(threads.awaitTermination(60, TimeUnit.SECONDS));
        assertAnswers(Purpose.AUTHORIZE);
    }

    @Test
    void oneThatIsGoneIsLeftAlone() throws Exception {
        engine.gone = true;
        assertThrows(EngineException.class,
            () -> call(Purpose.TOKEN));
        for (int i = 0; i < 5; i++) {
            assertThrows(EngineException.class,
                () -> call(Purpose.AUTHORIZE));
        }
        assertTrue(engine.asked.get() < 6, "not one by one");
        engine.gone = false;
        Thread.sleep(1100);
        assertAnswers(Purpose.TOKEN);
        assertAnswers(Purpose.TOKEN);
    }

    /** The metadata asks by itself, so that clients try again. */
    @Test
    void probed() {
        engine.gone = true;
        assertThrows(EngineException.class,
            () -> call(Purpose.TOKEN));
        engine.gone = false;
        assertTrue(bridge.up());
    }

    /** It costs no time: the next lookup is sent at once. */
    @Test
    void nonsenseIsNoOutage() throws Exception {
        engine.says = "[]".getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < 3; i++) {
            GarbledException e = assertThrows(GarbledException.class,
                () -> call(Purpose.TOKEN));
            assertEquals("the answer is no JSON object", e.getMessage());
        }
        assertEquals(3, engine.asked.get());
        assertFalse(bridge.up(), "the metadata promises nothing");
        assertEquals(4, engine.asked.get(), "probed");
        engine.says = ANSWER;
        assertAnswers(Purpose.AUTHORIZE);
        assertTrue(bridge.up());
    }

    /** One answer that is nonsense: the next probe is answered. */
    @Test
    void nonsenseAboutOneClient() {
        engine.says = "{".getBytes(StandardCharsets.UTF_8);
        assertThrows(GarbledException.class, () -> call(Purpose.AUTHORIZE));
        engine.says = ANSWER;
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
