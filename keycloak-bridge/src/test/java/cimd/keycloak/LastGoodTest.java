// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
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

    private static LastGood.Entry entry(long at, boolean trusted) {
        return new LastGood.Entry("p", at, new byte[0], trusted);
    }

    /** Tokens were given to it. */
    private static void lasting(LastGood all, String url) {
        all.keep("r", url, "p", answer(url), true);
        all.gotTokens("r", url);
    }

    private Path home() {
        return folder.resolve("cimd");
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> found = Files.list(home())) {
            return found.toList();
        }
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
        LastGood.Entry e = entry(NOW, true);
        long day = TimeUnit.HOURS.toMillis(24);
        assertTrue(e.holds("p", NOW + day - 1));
        assertEquals(false, e.holds("p", NOW + day));
        assertEquals(false, e.holds("p", NOW - day));
    }

    @Test
    void afterARestartOnlyWithTokens() throws EngineException {
        LastGood before = fresh();
        lasting(before, URL);
        before.keep("r", URL + "d", "p", answer(URL + "d"), true);
        assertNotNull(fresh().get("r", URL, "p"));
        assertNull(fresh().get("r", URL + "d", "p"));
    }

    @Test
    void forgottenIsForgotten() throws EngineException {
        LastGood all = fresh();
        lasting(all, URL);
        all.forget("r", URL);
        assertNull(all.get("r", URL, "p"));
        assertNull(fresh().get("r", URL, "p"));
    }

    @Test
    void damagedFile() throws IOException {
        lasting(fresh(), URL);
        Path file = files().get(0);
        String good = Files.readString(file);
        LastGood all = fresh();
        assertNotNull(all.get("r", URL, "p"));
        Files.writeString(file, "{\"realm\":\"r\",\"client_id\":\"" + URL
            + "\",\"policy\":\"p\",\"at\":" + System.currentTimeMillis()
            + ",\"answer\":\"{}\"}");
        assertThrows(EngineException.class, () -> all.get("r", URL, "p"));
        Files.writeString(file, good.replace("\"r\"", "\"s\""));
        assertNull(all.get("r", URL, "p"), "of another realm");
        for (String bad : new String[] {"{", "", "[]",
            good.substring(0, good.length() / 2)}) {
            Files.writeString(file, bad);
            assertNull(all.get("r", URL, "p"));
            assertNull(fresh().get("r", URL, "p"));
            assertEquals(List.of(), files(), "cleared away");
        }
    }

    /** A request alone, which anybody can send, costs no file. */
    @Test
    void onlyWhatHasTokensIsWritten() throws IOException {
        LastGood all = fresh();
        all.keep("r", URL, "p", answer(URL), true);
        all.gotTokens("r", URL + "unheard of");
        assertFalse(Files.exists(home()));
        all.gotTokens("r", URL);
        assertEquals(1, files().size());
    }

    /** Of each hundred refreshes in an hour one is written. */
    @Test
    void writtenOnlyIfNew() throws IOException {
        LastGoodFiles files = new LastGoodFiles(home());
        files.write("r", URL, entry(NOW, true));
        Path file = files().get(0);
        long hour = TimeUnit.HOURS.toMillis(1);
        assertTrue(writes(file, files, entry(NOW + hour + 1, true)));
        for (int i = 0; i < 2; i++) {
            assertFalse(writes(file, files, entry(NOW + hour + 2, true)));
            assertFalse(writes(file, files, entry(NOW + 2 * hour, true)));
            files = new LastGoodFiles(home()); // a restart forgets nothing
        }
        assertTrue(writes(file, files, new LastGood.Entry("q", NOW,
            new byte[0], true)));
        assertTrue(writes(file, files, new LastGood.Entry("q", NOW,
            new byte[] {'x'}, true)));
    }

    private static boolean writes(Path file, LastGoodFiles files,
        LastGood.Entry entry) throws IOException {
        FileTime old = FileTime.fromMillis(0);
        Files.setLastModifiedTime(file, old);
        files.write("r", URL, entry);
        return !Files.getLastModifiedTime(file).equals(old);
    }

    /** Who nobody vouches for pushes out neither those who are listed ... */
    @Test
    void strangersPushNobodyOut() throws IOException {
        LastGoodFiles files = new LastGoodFiles(home(), 20);
        for (int i = 0; i < 20; i++) {
            files.write("r", URL + i, entry(NOW + i, true));
        }
        for (int i = 0; i < 50; i++) {
            files.write("r", URL + "s" + i, entry(NOW + 100 + i, false));
        }
        files = new LastGoodFiles(home(), 20);
        for (int i = 0; i < 20; i++) {
            assertNotNull(files.read("r", URL + i));
        }
        assertEquals(20, files().size());
    }

    /** ... nor do those, as long as there are others, nor what is of use. */
    @Test
    void whoGoesFirst() throws IOException {
        LastGoodFiles files = new LastGoodFiles(home(), 6);
        long old = NOW - TimeUnit.HOURS.toMillis(25);
        files.write("r", URL + "old", entry(old, true));
        files.write("r", URL + "s1", entry(NOW + 1, false));
        files.write("r", URL + "s2", entry(NOW + 2, false));
        files.write("r", URL + "t1", entry(NOW, true));
        files.write("r", URL + "t2", entry(NOW + 3, true));
        files.write("r", URL + "t3", entry(NOW + 4, true));
        String[] goes = {"old", "s1", "s2", "t1", "t2"};
        for (int i = 0; i < goes.length; i++) {
            assertNotNull(files.read("r", URL + goes[i]));
            files.write("r", URL + "n" + i, entry(NOW + 10 + i, true));
            assertNull(files.read("r", URL + goes[i]), goes[i]);
            assertEquals(6, files().size());
        }
    }

    @Test
    void ownFilesOnly() throws IOException {
        lasting(fresh(), URL);
        assertEquals("rwx------", PosixFilePermissions.toString(
            Files.getPosixFilePermissions(home())));
        assertEquals("rw-------", PosixFilePermissions.toString(
            Files.getPosixFilePermissions(files().get(0))));
    }

    /** Where a link waits under the name of the draft, or of the file. */
    @Test
    void linksAreNotFollowed() throws IOException {
        lasting(fresh(), URL);
        Path file = files().get(0);
        Path victim = folder.resolve("victim");
        Files.writeString(victim, "mine");
        Files.delete(file);
        LastGood all = fresh();
        assertNull(all.get("r", URL, "p"));
        Files.createSymbolicLink(
            file.resolveSibling(file.getFileName() + ".new"), victim);
        lasting(all, URL);
        assertEquals("mine", Files.readString(victim));
        assertEquals(List.of(file), files());
        assertFalse(Files.isSymbolicLink(file));
        Files.move(file, victim, StandardCopyOption.REPLACE_EXISTING);
        Files.createSymbolicLink(file, victim);
        assertNull(fresh().get("r", URL, "p"));
        assertEquals(List.of(), files());
    }

    @Test
    void draftsOfACrashGo() throws IOException {
        lasting(fresh(), URL);
        Files.writeString(home().resolve("x.json.new"), "{");
        Files.writeString(home().resolve("notes"), "of somebody");
        assertNotNull(fresh().get("r", URL, "p"));
        assertEquals(2, files().size());
    }

    /** Whoever could write there could say who may refresh. */
    @Test
    void folderOfEverybody() throws IOException {
        lasting(fresh(), URL);
        Files.setPosixFilePermissions(home(),
            PosixFilePermissions.fromString("rwxrwxrwx"));
        LastGood all = fresh();
        assertNull(all.get("r", URL, "p"));
        lasting(all, URL + "d");
        all.forget("r", URL);
        assertEquals(1, files().size());
    }

    @Test
    void withoutAFolder() throws EngineException {
        LastGood all = new LastGood(new LastGoodFiles(null));
        all.keep("r", URL, "p", answer(URL), true);
        assertNotNull(all.get("r", URL, "p"));
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
