// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.TimeUnit;

/**
 * cimdd over its UNIX socket, in plain Java.
 *
 * <p>One deadline stands over a lookup from connect to last byte, however
 * many bytes arrive meanwhile. Connections are kept for the next lookup; one
 * that the daemon closed in between is replaced once, and only before it has
 * answered anything.
 */
final class SocketEngine implements CimdEngine {
    private static final int MAX_IDLE = 8;

    private final Path path;
    private final UnixDomainSocketAddress address;
    private final long timeoutNanos;
    private final ConcurrentLinkedDeque<Line> idle =
        new ConcurrentLinkedDeque<>();
    private volatile boolean closed;

    SocketEngine(Path path, long timeoutMillis) {
        this.path = path;
        this.address = UnixDomainSocketAddress.of(path);
        this.timeoutNanos = TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
    }

    @Override
    public byte[] client(byte[] request) throws EngineException {
        long deadline = System.nanoTime() + timeoutNanos;
        byte[] message = message(request);
        Line kept = idle.pollFirst();
        if (kept != null) {
            try {
                return ask(kept, message, deadline);
            } catch (GoneException gone) {
                // It was closed while nobody looked: a new one is due.
            }
        }
        return ask(connect(deadline), message, deadline);
    }

    @Override
    public String describe() {
        return "socket " + path;
    }

    @Override
    public void close() {
        closed = true;
        for (Line l = idle.pollFirst(); l != null; l = idle.pollFirst()) {
            l.close();
        }
    }

    private static byte[] message(byte[] request) {
        byte[] head = ("POST /v1/client HTTP/1.1\r\nHost: cimd\r\n"
            + "Content-Type: application/json\r\nContent-Length: "
            + request.length + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII);
        byte[] all = new byte[head.length + request.length];
        System.arraycopy(head, 0, all, 0, head.length);
        System.arraycopy(request, 0, all, head.length, request.length);
        return all;
    }

    private byte[] ask(Line line, byte[] message, long deadline)
        throws EngineException {
        HttpReply reply = new HttpReply();
        boolean good = false;
        try {
            line.exchange(message, reply, deadline);
            good = reply.keep();
        } catch (EngineException e) {
            throw e;
        } catch (IOException e) {
            if (line.used && reply.used() == 0) {
                throw new GoneException();
            }
            throw new EngineException(path + ": " + e.getMessage(), e);
        } finally {
            release(line, good);
        }
        return reply.body();
    }

    private void release(Line line, boolean good) {
        line.used = true;
        if (good && !closed && idle.size() < MAX_IDLE) {
            idle.addFirst(line);
        } else {
            line.close();
        }
    }

    private Line connect(long deadline) throws EngineException {
        Line line = null;
        try {
            line = new Line();
            line.connect(address, deadline);
            return line;
        } catch (IOException e) {
            if (line != null) {
                line.close();
            }
            throw new EngineException(path + ": " + e.getMessage(), e);
        }
    }

    /** A kept connection was closed before it answered anything. */
    private static final class GoneException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        GoneException() {
            super(null, null, false, false);
        }
    }

    /** A connection and what waits for it. */
    private static final class Line {
        private final SocketChannel channel;
        private final Selector selector;
        private final SelectionKey key;
        private boolean used;

        Line() throws IOException {
            channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            Selector opened = null;
            try {
                opened = Selector.open();
                channel.configureBlocking(false);
                key = channel.register(opened, 0);
            } catch (IOException e) {
                channel.close();
                if (opened != null) {
                    opened.close();
                }
                throw e;
            }
            selector = opened;
        }

        void connect(UnixDomainSocketAddress to, long deadline)
            throws IOException {
            if (!channel.connect(to)) {
                do {
                    await(SelectionKey.OP_CONNECT, deadline);
                } while (!channel.finishConnect());
            }
        }

        void exchange(byte[] message, HttpReply reply, long deadline)
            throws IOException {
            ByteBuffer out = ByteBuffer.wrap(message);
            while (channel.write(out) >= 0 && out.hasRemaining()) {
                await(SelectionKey.OP_WRITE, deadline);
            }
            int n;
            do {
                await(SelectionKey.OP_READ, deadline);
                byte[] space = reply.space(4096);
                int at = reply.used();
                n = channel.read(ByteBuffer.wrap(space, at,
                    space.length - at));
                if (n < 0) {
                    throw new IOException(at == 0
                        ? "closed without an answer"
                        : "closed within an answer");
                }
            } while (!reply.add(n));
        }

        private void await(int what, long deadline) throws IOException {
            key.interestOps(what);
            selector.selectedKeys().clear();
            while (selector.selectedKeys().isEmpty()) {
                long left = TimeUnit.NANOSECONDS.toMillis(
                    deadline - System.nanoTime());
                if (Thread.currentThread().isInterrupted()) {
                    throw new BusyException("Keycloak gave the lookup up");
                }
                if (left <= 0) {
                    throw new EngineException("no answer in time");
                }
                selector.select(left);
            }
        }

        void close() {
            try {
                key.cancel();
                channel.close();
                selector.close();
            } catch (IOException e) {
                // Nothing is lost with it.
            }
        }
    }
}
