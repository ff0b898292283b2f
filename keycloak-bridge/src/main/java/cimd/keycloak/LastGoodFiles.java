// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/**
 * One small file for each client that has tokens, in Keycloak's data folder.
 *
 * <p>What is in the files is known in memory, by digest: nothing is read or
 * written but what is new, or an hour older. When there are too many, those
 * that are too old to be used go first, then clients that nobody vouches for;
 * one of these never pushes out one that an administrator has listed. Where
 * files cannot be written, a restart while cimdd is down costs refreshes
 * until it is back, and nothing else.
 */
final class LastGoodFiles {
    private static final int MAX_FILES = 2000;
    /** An answer, in which JSON within JSON escapes each quote. */
    private static final int MAX_BYTES = 2 * HttpReply.MAX_BODY + 16384;
    private static final long REWRITE_MILLIS = TimeUnit.HOURS.toMillis(1);
    private static final String SUFFIX = ".json";
    private static final String DRAFT = ".new";
    private static final FileAttribute<Set<PosixFilePermission>> OUR_FOLDER =
        PosixFilePermissions.asFileAttribute(
            PosixFilePermissions.fromString("rwx------"));
    private static final FileAttribute<Set<PosixFilePermission>> OUR_FILE =
        PosixFilePermissions.asFileAttribute(
            PosixFilePermissions.fromString("rw-------"));
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Logger LOG = Logger.getLogger("cimd.keycloak");

    /** What a file holds. */
    private record Kept(String digest, long at, boolean trusted) {
        static Kept of(LastGood.Entry e) {
            return new Kept(LastGoodFiles.digest(e.policy() + ' '
                + new String(e.answer(), StandardCharsets.UTF_8)), e.at(),
                e.trusted());
        }

        boolean says(Kept other) {
            return digest.equals(other.digest)
                && other.at - at <= REWRITE_MILLIS;
        }
    }

    private final Path folder;
    private final int maxFiles;
    /** By name; null as long as nobody has looked, or if nothing can be. */
    private Map<String, Kept> kept;
    private boolean off;

    /** @param folder where they are kept; null keeps none */
    LastGoodFiles(Path folder) {
        this(folder, MAX_FILES);
    }

    LastGoodFiles(Path folder, int maxFiles) {
        this.folder = folder;
        this.maxFiles = maxFiles;
        this.off = folder == null;
    }

    synchronized void write(String realmId, String clientId,
        LastGood.Entry entry) {
        if (!usable()) {
            return;
        }
        String name = name(realmId, clientId);
        Kept now = Kept.of(entry);
        Kept old = kept.get(name);
        if (old != null && old.says(now)
            || old == null && !makeRoom(now)) {
            return;
        }
        try {
            store(folder.resolve(name), json(realmId, clientId, entry));
            kept.put(name, now);
        } catch (IOException e) {
            LOG.debugf(e, "cimd: %s cannot be written", folder);
        }
    }

    synchronized void remove(String realmId, String clientId) {
        String name = name(realmId, clientId);
        if (usable() && kept.containsKey(name)) {
            delete(name);
        }
    }

    /** Null if there is none, or none that can be read. */
    synchronized LastGood.Entry read(String realmId, String clientId) {
        String name = name(realmId, clientId);
        if (!usable() || !kept.containsKey(name)) {
            return null;
        }
        try {
            JsonNode o = load(folder.resolve(name));
            boolean same = o.path("realm").asText().equals(realmId)
                && o.path("client_id").asText().equals(clientId);
            return same ? entry(o) : null;
        } catch (IOException e) {
            LOG.debugf(e, "cimd: %s cannot be read", folder);
            return null;
        }
    }

    /** Looks, the first time, at what there is from before. */
    private boolean usable() {
        if (!off && kept == null) {
            try {
                Files.createDirectories(folder, OUR_FOLDER);
                if (Files.getPosixFilePermissions(folder).contains(
                    PosixFilePermission.OTHERS_WRITE)) {
                    throw new IOException("anybody may write to it");
                }
                kept = new HashMap<>();
                all().forEach(this::look);
            } catch (IOException | UnsupportedOperationException e) {
                off = true;
                LOG.warnf("cimd: %s cannot be used, nothing is kept for a"
                    + " restart: %s: %s", folder, e.getClass()
                    .getSimpleName(), e.getMessage());
            }
        }
        return !off;
    }

    /** Into memory; what is half written or damaged is of no use. */
    private void look(Path path) {
        String name = path.getFileName().toString();
        try {
            if (name.endsWith(SUFFIX)) {
                kept.put(name, Kept.of(entry(load(path))));
            } else if (name.endsWith(SUFFIX + DRAFT)) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            delete(name);
        }
    }

    private List<Path> all() throws IOException {
        try (Stream<Path> found = Files.list(folder)) {
            return found.toList();
        }
    }

    /** No link is followed: what is not our own file is not read. */
    private static JsonNode load(Path path) throws IOException {
        try (InputStream in = Files.newInputStream(path,
            LinkOption.NOFOLLOW_LINKS)) {
            JsonNode o = JSON.readTree(in.readNBytes(MAX_BYTES));
            if (o == null || !o.isObject()) {
                throw new IOException(path + " is no JSON object");
            }
            return o;
        }
    }

    private static LastGood.Entry entry(JsonNode o) {
        return new LastGood.Entry(o.path("policy").asText(),
            o.path("at").asLong(),
            o.path("answer").asText().getBytes(StandardCharsets.UTF_8),
            o.path("trusted").asBoolean(false));
    }

    private static byte[] json(String realmId, String clientId,
        LastGood.Entry entry) throws IOException {
        ObjectNode o = JSON.createObjectNode();
        o.put("realm", realmId);
        o.put("client_id", clientId);
        o.put("policy", entry.policy());
        o.put("at", entry.at());
        o.put("trusted", entry.trusted());
        o.put("answer", new String(entry.answer(), StandardCharsets.UTF_8));
        return JSON.writeValueAsBytes(o);
    }

    /** A link that waits under the name of the draft is not followed. */
    private static void store(Path path, byte[] bytes) throws IOException {
        Path draft = path.resolveSibling(path.getFileName() + DRAFT);
        Files.deleteIfExists(draft);
        try (SeekableByteChannel out = Files.newByteChannel(draft,
            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
            OUR_FILE)) {
            ByteBuffer left = ByteBuffer.wrap(bytes);
            while (left.hasRemaining()) {
                out.write(left);
            }
        }
        Files.move(draft, path, StandardCopyOption.ATOMIC_MOVE,
            StandardCopyOption.REPLACE_EXISTING);
    }

    /** Is there, or can there be, a place for one more? */
    private boolean makeRoom(Kept newcomer) {
        if (kept.size() < maxFiles) {
            return true;
        }
        List<String> go = kept.entrySet().stream()
            .filter(e -> newcomer.trusted() || rank(e.getValue(),
                newcomer.at()) < 2)
            .sorted(Comparator
                .comparingInt((Map.Entry<String, Kept> e) -> rank(
                    e.getValue(), newcomer.at()))
                .thenComparingLong(e -> e.getValue().at()))
            .limit(Math.max(1, maxFiles / 10)).map(Map.Entry::getKey)
            .toList();
        go.forEach(this::delete);
        return kept.size() < maxFiles;
    }

    /** The lower, the sooner it goes. */
    private static int rank(Kept one, long now) {
        return now - one.at() > LastGood.MAX_AGE_MILLIS ? 0
            : one.trusted() ? 2 : 1;
    }

    private void delete(String name) {
        try {
            Files.deleteIfExists(folder.resolve(name));
            kept.remove(name);
        } catch (IOException e) {
            LOG.warnf("cimd: %s: what is of no use any more cannot be"
                + " removed: %s", folder, e.getMessage());
        }
    }

    private static String name(String realmId, String clientId) {
        return digest(realmId + ' ' + clientId) + SUFFIX;
    }

    private static String digest(String text) {
        try {
            return Base64.getUrlEncoder().withoutPadding().encodeToString(
                MessageDigest.getInstance("SHA-256").digest(
                    text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java has it
        }
    }
}
