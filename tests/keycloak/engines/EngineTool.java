// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An engine without Keycloak around it: requests in, answers out, one a line.
 *
 * <p>{@code EngineTool socket PATH} or {@code EngineTool jni LIBRARY CONFIG}.
 * A line "burst THREADS EACH REQUEST" is answered with how many answers came;
 * "time COUNT REQUEST" with the nanoseconds of one lookup in the mean.
 */
final class EngineTool {
    private EngineTool() {
    }

    public static void main(String[] words) throws IOException {
        BufferedReader in = new BufferedReader(
            new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (CimdEngine engine = engine(words)) {
            for (String line = in.readLine(); line != null;
                line = in.readLine()) {
                byte[] answer = answer(engine, line);
                System.out.write(answer, 0, answer.length);
                System.out.write('\n');
                System.out.flush();
            }
        }
    }

    private static CimdEngine engine(String[] words) {
        if (words[0].equals("jni")) {
            return new JniEngine(Path.of(words[1]), Path.of(words[2]));
        }
        return new SocketEngine(Path.of(words[1]), 30_000);
    }

    private static byte[] answer(CimdEngine engine, String line) {
        String[] words = line.split(" ", 4);
        if (words[0].equals("burst")) {
            return bytes("good: " + burst(engine, Integer.parseInt(words[1]),
                Integer.parseInt(words[2]), bytes(words[3])));
        }
        try {
            if (words[0].equals("time")) {
                return bytes("ns: " + time(engine, Integer.parseInt(words[1]),
                    bytes(line.split(" ", 3)[2])));
            }
            return engine.client(bytes(line));
        } catch (EngineException e) {
            return bytes("error: " + e.getMessage());
        }
    }

    private static int burst(CimdEngine engine, int threads, int each,
        byte[] request) {
        AtomicInteger good = new AtomicInteger();
        CountDownLatch ended = new CountDownLatch(threads);
        for (int i = 0; i < threads; i++) {
            new Thread(() -> {
                try {
                    for (int j = 0; j < each; j++) {
                        byte[] answer = engine.client(request);
                        if (answer.length > 0 && answer[0] == '{') {
                            good.incrementAndGet();
                        }
                    }
                } catch (EngineException e) {
                    System.err.println("burst: " + e.getMessage());
                } finally {
                    ended.countDown();
                }
            }).start();
        }
        try {
            ended.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return good.get();
    }

    private static long time(CimdEngine engine, int count, byte[] request)
        throws EngineException {
        for (int i = 0; i < count; i++) {
            engine.client(request); // the compiler has its turn first
        }
        long start = System.nanoTime();
        for (int i = 0; i < count; i++) {
            engine.client(request);
        }
        return (System.nanoTime() - start) / count;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
