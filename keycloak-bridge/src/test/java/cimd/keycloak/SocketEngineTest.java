// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The engine against daemons that a real one would never be. */
class SocketEngineTest {
    private static final String GOOD = "HTTP/1.1 200 OK\r\n"
        + "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    private static final byte[] REQUEST =
        "{\"client_id\":\"x\"}".getBytes(StandardCharsets.UTF_8);

    /** What happens to one connection. */
    private interface Script {
        void run(SocketChannel channel) throws IOException;
    }

    private Path folder;
    private Path path;
    private ServerSocketChannel door;
    private final AtomicInteger connections = new AtomicInteger();
    private final List<SocketChannel> open = new CopyOnWriteArrayList<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();

    @BeforeEach
    void listen() throws IOException {
        folder = Files.createTempDirectory("cimd");
        path = folder.resolve("s");
    }

    @AfterEach
    void end() throws IOException {
        if (door != null) {
            door.close();
        }
        for (SocketChannel one : open) {
            one.close();
        }
        Files.deleteIfExists(path);
        Files.deleteIfExists(folder);
    }

    /** Answers, or hangs up: how fast is no matter. */
    private SocketEngine engine(Script script) throws IOException {
        return engine(script, 60_000);
    }

    private SocketEngine engine(Script script, long timeoutMillis)
        throws IOException {
        door = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        door.bind(UnixDomainSocketAddress.of(path));
        Thread t = new Thread(() -> serve(script));
        t.setDaemon(true);
        t.start();
        return new SocketEngine(path, timeoutMillis);
    }

    private void serve(Script script) {
        try {
            while (true) {
                SocketChannel one = door.accept();
                connections.incrementAndGet();
                open.add(one);
                Thread t = new Thread(() -> talk(script, one));
                t.setDaemon(true);
                t.start();
            }
        } catch (IOException e) {
            // The test is over.
        }
    }

    private static void talk(Script script, SocketChannel one) {
        try {
            script.run(one);
        } catch (IOException e) {
            // The engine has had enough.
        }
    }

    /** Reads one request; its body is known to be short. */
    private void read(SocketChannel channel) throws IOException {
        ByteBuffer in = ByteBuffer.allocate(4096);
        String text = "";
        while (!text.endsWith("}")) {
            if (channel.read(in) < 0) {
                throw new ClosedChannelException();
            }
            text = new String(in.array(), 0, in.position(),
                StandardCharsets.UTF_8);
        }
        requests.add(text);
    }

    private static void write(SocketChannel channel, String text)
        throws IOException {
        channel.write(ByteBuffer.wrap(
            text.getBytes(StandardCharsets.ISO_8859_1)));
    }

    private EngineException fails(SocketEngine engine) {
        return assertThrows(EngineException.class,
            () -> engine.client(REQUEST));
    }

    @Test
    void keepsItsConnection() throws IOException {
        try (SocketEngine engine = engine(c -> {
            while (true) {
                read(c);
                write(c, GOOD);
            }
        })) {
            for (int i = 0; i < 5; i++) {
                assertEquals("{}", new String(engine.client(REQUEST),
                    StandardCharsets.UTF_8));
            }
            assertEquals(1, connections.get());
            assertTrue(requests.get(0).startsWith(
                "POST /v1/client HTTP/1.1\r\nHost: cimd\r\n"));
            assertTrue(requests.get(0).endsWith("\r\n\r\n{\"client_id\":\"x\"}"));
        }
    }

    @Test
    void replacesOneThatWasClosed() throws IOException {
        try (SocketEngine engine = engine(c -> {
            read(c);
            write(c, GOOD);
            c.close();
        })) {
            engine.client(REQUEST);
            engine.client(REQUEST);
            assertEquals(2, connections.get());
        }
    }

    @Test
    void connectionClose() throws IOException {
        try (SocketEngine engine = engine(c -> {
            read(c);
            write(c, GOOD.replace("OK\r\n", "OK\r\nConnection: close\r\n"));
        })) {
            engine.client(REQUEST);
            engine.client(REQUEST);
            assertEquals(2, connections.get());
        }
    }

    @Test
    void nobodyThere() {
        SocketEngine engine = new SocketEngine(path, 2000);
        assertTrue(fails(engine).getMessage().startsWith(path.toString()));
    }

    @Test
    void closedWithoutAnAnswer() throws IOException {
        try (SocketEngine engine = engine(SocketChannel::close)) {
            fails(engine);
        }
    }

    @Test
    void closedWithinAnAnswer() throws IOException {
        try (SocketEngine engine = engine(c -> {
            read(c);
            write(c, GOOD.substring(0, GOOD.length() - 1));
            c.close();
        })) {
            assertTrue(fails(engine).getMessage().contains("within"));
            assertEquals(1, connections.get(), "asked twice");
        }
    }

    @Test
    void silence() throws IOException {
        try (SocketEngine engine = engine(this::read, 500)) {
            assertTrue(fails(engine).getMessage().contains("in time"));
        }
    }

    /** A search of the console took too long: cimdd is well. */
    @Test
    void givenUp() throws IOException {
        try (SocketEngine engine = engine(this::read)) {
            Thread.currentThread().interrupt();
            assertThrows(BusyException.class, () -> engine.client(REQUEST));
            assertTrue(Thread.interrupted(), "it is Keycloak's to see");
        }
    }

    /** Bytes that keep coming are no reason to wait any longer. */
    @Test
    void dripping() throws IOException {
        try (SocketEngine engine = engine(c -> {
            read(c);
            write(c, GOOD.substring(0, GOOD.length() - 2));
            write(c, "");
            while (c.isOpen()) {
                pause();
                write(c, "");
            }
        }, 500)) {
            assertTrue(fails(engine).getMessage().contains("in time"));
        }
    }

    @Test
    void drippingHeaders() throws IOException {
        try (SocketEngine engine = engine(c -> {
            read(c);
            write(c, "HTTP/1.1 200 OK\r\n");
            while (c.isOpen()) {
                write(c, "x: y\r\n");
                pause();
            }
        }, 500)) {
            String why = fails(engine).getMessage();
            assertTrue(why.contains("in time") || why.contains("bytes"), why);
        }
    }

    /** The message says what was wrong, and the next lookup is sent. */
    @Test
    void garbage() throws IOException {
        String[] said = {"220 mail ready\r\nx\r\n\r\n", GOOD + GOOD,
            "HTTP/1.1 200 OK\r\nx: " + "y".repeat(9000),
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                + "Content-Length: 300000\r\n\r\n",
            GOOD.replace("application/json", "text/html")};
        String[] why = {"no answer in HTTP/1.1",
            "bytes after the end of the answer", "more than 8192 bytes",
            "a Content-Length that cannot be", "an answer that is not JSON"};
        AtomicInteger n = new AtomicInteger();
        try (SocketEngine engine = engine(c -> {
            read(c);
            write(c, said[n.get()]);
        })) {
            for (; n.get() < said.length; n.incrementAndGet()) {
                GarbledException e = assertThrows(GarbledException.class,
                    () -> engine.client(REQUEST));
                assertTrue(e.getMessage().contains(why[n.get()]),
                    e.getMessage());
            }
        }
    }

    @Test
    void manyAtOnce() throws Exception {
        try (SocketEngine engine = engine(c -> {
            while (true) {
                read(c);
                write(c, GOOD);
            }
        })) {
            AtomicInteger good = new AtomicInteger();
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 16; i++) {
                Thread t = new Thread(() -> ask(engine, good));
                threads.add(t);
                t.start();
            }
            for (Thread t : threads) {
                t.join();
            }
            assertEquals(16 * 50, good.get());
        }
    }

    private static void ask(SocketEngine engine, AtomicInteger good) {
        try {
            for (int i = 0; i < 50; i++) {
                engine.client(REQUEST);
                good.incrementAndGet();
            }
        } catch (EngineException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void pause() {
        try {
            Thread.sleep(20);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
