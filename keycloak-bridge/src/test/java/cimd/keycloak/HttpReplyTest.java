// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HttpReplyTest {
    private static final String HEAD = "HTTP/1.1 200 OK\r\n"
        + "Content-Type: application/json\r\n";

    /** Feeds it in pieces; is the answer complete? */
    private static boolean feed(HttpReply reply, byte[] bytes, int piece)
        throws EngineException {
        boolean done = false;
        int n;
        for (int at = 0; at < bytes.length; at += n) {
            byte[] space = reply.space(piece);
            n = Math.min(Math.min(piece, bytes.length - at),
                space.length - reply.used());
            System.arraycopy(bytes, at, space, reply.used(), n);
            done = reply.add(n);
        }
        return done;
    }

    private static byte[] bytes(String s) {
        return s.getBytes(StandardCharsets.ISO_8859_1);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 4096})
    void goodInPieces(int piece) throws EngineException {
        HttpReply reply = new HttpReply();
        assertTrue(feed(reply, bytes(HEAD + "Content-Length: 2\r\n\r\n{}"),
            piece));
        assertEquals(200, reply.status());
        assertArrayEquals(bytes("{}"), reply.body());
        assertTrue(reply.keep());
    }

    @Test
    void problemThatCloses() throws EngineException {
        HttpReply reply = new HttpReply();
        assertTrue(feed(reply, bytes("HTTP/1.1 503 Service Unavailable\r\n"
            + "connection: close\r\nContent-Type:application/problem+json\r\n"
            + "Retry-After: 3\r\nCONTENT-LENGTH:0\r\n\r\n"), 4096));
        assertEquals(503, reply.status());
        assertFalse(reply.keep());
    }

    @Test
    void notYet() throws EngineException {
        HttpReply reply = new HttpReply();
        assertFalse(feed(reply, bytes(HEAD + "Content-Length: 3\r\n\r\n{}"),
            4096));
    }

    @Test
    void largestBody() throws EngineException {
        HttpReply reply = new HttpReply();
        String body = "x".repeat(HttpReply.MAX_BODY);
        assertTrue(feed(reply, bytes(HEAD + "Content-Length: "
            + HttpReply.MAX_BODY + "\r\n\r\n" + body), 5000));
        assertEquals(HttpReply.MAX_BODY, reply.body().length);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "",
        "Content-Length: -1\r\n",
        "Content-Length: +2\r\n",
        "Content-Length: 2x\r\n",
        "Content-Length: 0x2\r\n",
        "Content-Length:\r\n",
        "Content-Length: 2, 2\r\n",
        "Content-Length: 99999999999\r\n",
        "Content-Length: 262145\r\n",
        "Content-Length: 2\r\nContent-Length: 2\r\n",
        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 2\r\nContent-Encoding: gzip\r\n",
        "Content-Length: 2\r\nContent-Type: text/html\r\n",
        "Content-Length: 2\r\n folded: x\r\n",
        "Content-Length: 2\r\nno colon\r\n",
        "Content-Length: 2\r\n: no name\r\n",
        "Content-Length: 2\r\nna me: x\r\n",
        "Content-Length: 2\r\nx: \u0000\r\n",
        "Content-Length: 2\r\nx: \u00e9\r\n",
        "Content-Length: 2\r\nx: a\nb\r\n",
    })
    void badHeaders(String headers) {
        assertThrows(GarbledException.class, () -> feed(new HttpReply(),
            bytes(HEAD + headers + "\r\n{}"), 4096), headers);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "HTTP/1.0 200 OK", "HTTP/1.1 99 x", "HTTP/1.1 100 Continue",
        "HTTP/1.1 600 x", "HTTP/1.1 2000", "HTTP/1.1 20", "HTTP/1.1 abc",
        "HTTP/2 200", "SSH-2.0-OpenSSH_9.2", "", " HTTP/1.1 200 OK",
    })
    void badStatusLines(String line) {
        assertThrows(GarbledException.class, () -> feed(new HttpReply(),
            bytes(line + "\r\nContent-Type: application/json\r\n"
                + "Content-Length: 2\r\n\r\n{}"), 4096), line);
    }

    @Test
    void bytesAfterTheEnd() {
        assertThrows(GarbledException.class, () -> feed(new HttpReply(),
            bytes(HEAD + "Content-Length: 2\r\n\r\n{}x"), 4096));
        assertThrows(GarbledException.class, () -> feed(new HttpReply(),
            bytes(HEAD + "Content-Length: 2\r\n\r\n{}x"), 1));
    }

    @Test
    void endlessHead() {
        byte[] endless = bytes(HEAD + "x: " + "y".repeat(100_000));
        for (int piece : new int[] {1, 1000, 5000}) {
            assertThrows(GarbledException.class,
                () -> feed(new HttpReply(), endless, piece));
        }
    }
}
