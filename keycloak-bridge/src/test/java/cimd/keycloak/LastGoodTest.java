// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LastGoodTest {
    private static final String URL = "https://a.example/c";
    private static final long NOW = 1_800_000_000_000L;

    @TempDir
    private Path folder;

    private static byte[] answer(String url) {
        return ("{\"client\":{\"client_id\":\"" + url + "\","
            + "\"redirect_uris\":[],\"grant_types\":[]},"
            + "\"decision\":{\"trust\":\"trusted\",\"auth_methods\":[],"
            + "\"redirect_uri_ok\":true,\"loopback_any_port\":true,"
            + "\"warnings\":[]}}").getBytes(StandardCharsets.UTF_8);
    }

    private LastGood fresh() {
        return new LastGood(new LastGoodFiles(folder.resolve("cimd")));
    }

    @Test
    void onlyUnderTheSamePolicyAndRealm() throws EngineException {
        LastGood all = fresh();
        all.keep("r", URL, "p", answer(URL), false);
        assertEquals(URL, all.get("r", URL, "p").clientId());
        assertNull(all.get("r", URL, "q"));
        assertNull(all.get("s", URL, "p"));
        assertNull(all.get("r", URL + "d", "p"));
    }

    @Test
    void notForEver() {
        LastGood.Entry e = new LastGood.Entry("p", NOW, new byte[0]);
        long day = TimeUnit.HOURS.toMillis(24);
        assertTrue(e.holds("p", NOW + day - 1));
        assertEquals(false, e.holds("p", NOW + day));
        assertEquals(false, e.holds("p", NOW - day));
    }

    @Test
    void afterARestartOnlyWithTokens() throws EngineException {
        LastGood before = fresh();
        before.keep("r", URL, "p", answer(URL), true);
        before.keep("r", URL + "d", "p", answer(URL + "d"), false);
        assertNotNull(fresh().get("r", URL, "p"));
        assertNull(fresh().get("r", URL + "d", "p"));
    }

    @Test
    void forgottenIsForgotten() throws EngineException {
        LastGood all = fresh();
        all.keep("r", URL, "p", answer(URL), true);
        all.forget("r", URL);
        assertNull(all.get("r", URL, "p"));
        assertNull(fresh().get("r", URL, "p"));
    }

    @Test
    void damagedFile() throws IOException {
        fresh().keep("r", URL, "p", answer(URL), true);
        Path file;
        try (Stream<Path> found = Files.list(folder.resolve("cimd"))) {
            file = found.findFirst().orElseThrow();
        }
        Files.writeString(file, "{\"realm\":\"r\",\"client_id\":\"" + URL
            + "\",\"policy\":\"p\",\"at\":" + System.currentTimeMillis()
            + ",\"answer\":\"{}\"}");
        assertThrows(EngineException.class, () -> fresh().get("r", URL, "p"));
        Files.writeString(file, "{");
        assertNull(fresh().get("r", URL, "p"));
    }

    @Test
    void withoutAFolder() throws EngineException {
        LastGood all = new LastGood(new LastGoodFiles(null));
        all.keep("r", URL, "p", answer(URL), true);
        assertNotNull(all.get("r", URL, "p"));
    }

    @Test
    void boundedNumberOfFiles() throws IOException {
        LastGoodFiles files = new LastGoodFiles(folder.resolve("many"));
        for (int i = 0; i < 2100; i++) {
            files.write("r", URL + i, new LastGood.Entry("p", NOW,
                new byte[0]));
        }
        try (Stream<Path> found = Files.list(folder.resolve("many"))) {
            assertTrue(found.count() <= 2000);
        }
    }

    /** Room for two or three: the one that nobody asked for goes. */
    @Test
    void boundedBytes() throws EngineException {
        int one = 256 + 2 * (URL.length() + 1) + answer(URL + 0).length;
        LastGood all = new LastGood(new LastGoodFiles(null), 3L * one);
        for (int i = 0; i < 9; i++) {
            all.keep("r", URL + i % 3, "p", answer(URL + i % 3), false);
        }
        all.forget("r", URL + 1);
        all.forget("r", URL + 1);
        all.keep("r", URL + 3, "p", answer(URL + 3), false);
        assertNotNull(all.get("r", URL + 0, "p"));
        all.keep("r", URL + 4, "p", answer(URL + 4), false);
        assertEquals(List.of(URL + 0, URL + 3, URL + 4),
            all.search("r", "", 50));
        all.keep("r", URL + 5, "p", new byte[4 * one], false);
        assertEquals(List.of(), all.search("r", "", 50));
        all.keep("r", URL + 6, "p", answer(URL + 6), false);
        assertNotNull(all.get("r", URL + 6, "p"));
    }

    @Test
    void searched() {
        LastGood all = fresh();
        for (int i = 0; i < 9; i++) {
            all.keep("r", URL + i, "p", answer(URL + i), false);
        }
        assertEquals(List.of(URL + 0, URL + 1),
            all.search("r", "a.example", 2));
        assertEquals(List.of(URL + 7), all.search("r", "c7", 50));
        assertEquals(List.of(), all.search("s", "", 50));
    }
}
