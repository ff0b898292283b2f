// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;

/**
 * Reads one answer of cimdd as it arrives.
 *
 * <p>cimdd sends a status line, header lines and exactly Content-Length bytes
 * of JSON. Everything else is refused rather than understood: on the other
 * side of the socket there could be another program.
 */
final class HttpReply {
    static final int MAX_HEAD = 8192;
    /** A document of 5120 bytes and a key set of 65536, escaped as JSON. */
    static final int MAX_BODY = 262144;
    private static final String DIGITS = "0123456789";

    private byte[] buffer = new byte[2048];
    private int used;
    /** Where the body begins, or 0 as long as the head is not complete. */
    private int body;
    private int length = -1;
    private int status;
    private boolean json;
    private boolean close;

    /** Where the next bytes go to: at least one is free. */
    byte[] space(int wanted) throws GarbledException {
        int limit = body == 0 ? MAX_HEAD + 1 : body + length + 1;
        if (used >= limit) {
            throw new GarbledException("the answer is too long");
        }
        int size = Math.min(limit, used + wanted);
        if (buffer.length < size) {
            buffer = Arrays.copyOf(buffer, Math.min(limit, size * 2));
        }
        return buffer;
    }

    int used() {
        return used;
    }

    /**
     * More bytes have arrived.
     *
     * @return is the answer complete?
     */
    boolean add(int count) throws GarbledException {
        int from = Math.max(0, used - 3);
        used += count;
        if (body == 0) {
            int end = endOfHead(from);
            if (end < 0) {
                if (used > MAX_HEAD) {
                    throw new GarbledException("the head of the answer has"
                        + " more than " + MAX_HEAD + " bytes");
                }
                return false;
            }
            readHead(new String(buffer, 0, end, StandardCharsets.ISO_8859_1));
            body = end + 4;
        }
        if (used > body + length) {
            throw new GarbledException("bytes after the end of the answer");
        }
        return used == body + length;
    }

    int status() {
        return status;
    }

    /** May the connection be used again? */
    boolean keep() {
        return !close;
    }

    byte[] body() {
        return Arrays.copyOfRange(buffer, body, body + length);
    }

    private int endOfHead(int from) {
        for (int i = from; i + 3 < used; i++) {
            if (buffer[i] == '\r' && buffer[i + 1] == '\n'
                && buffer[i + 2] == '\r' && buffer[i + 3] == '\n') {
                return i;
            }
        }
        return -1;
    }

    private void readHead(String head) throws GarbledException {
        String[] lines = head.split("\r\n", -1);
        readStatus(lines[0]);
        for (int i = 1; i < lines.length; i++) {
            readHeader(lines[i]);
        }
        if (length < 0) {
            throw new GarbledException("an answer without Content-Length");
        }
        if (!json) {
            throw new GarbledException("an answer that is not JSON");
        }
    }

    private void readStatus(String line) throws GarbledException {
        boolean good = line.startsWith("HTTP/1.1 ") && line.length() >= 12
            && (line.length() == 12 || line.charAt(12) == ' ');
        status = good ? number(line.substring(9, 12)) : -1;
        if (status < 200 || status > 599) {
            throw new GarbledException("no answer in HTTP/1.1");
        }
    }

    private void readHeader(String line) throws GarbledException {
        int colon = line.indexOf(':');
        if (colon < 1 || !clean(line)) {
            throw new GarbledException("a malformed header line");
        }
        String name = line.substring(0, colon).toLowerCase(Locale.ROOT);
        String value = line.substring(colon + 1).strip();
        switch (name) {
            case "content-length" -> readLength(value);
            case "content-type" -> json = isJson(value);
            case "connection" -> close = !value.equalsIgnoreCase("keep-alive");
            case "transfer-encoding", "content-encoding" ->
                throw new GarbledException("an answer with " + name);
            default -> { }
        }
    }

    private void readLength(String value) throws GarbledException {
        int found = number(value);
        if (length >= 0 || found < 0 || found > MAX_BODY) {
            throw new GarbledException("a Content-Length that cannot be");
        }
        length = found;
    }

    private static boolean isJson(String value) {
        String type = value.toLowerCase(Locale.ROOT);
        return type.equals("application/json")
            || type.equals("application/problem+json");
    }

    private static boolean clean(String line) {
        int colon = line.indexOf(':');
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (c > '~' || c < ' ' && c != '\t' || i < colon && c <= ' ') {
                return false;
            }
        }
        return true;
    }

    /** 1 to 7 digits; -1 for anything else. */
    private static int number(String s) {
        boolean digits = s.chars().allMatch(c -> DIGITS.indexOf(c) >= 0);
        return digits && !s.isEmpty() && s.length() <= 7
            ? Integer.parseInt(s) : -1;
    }
}
