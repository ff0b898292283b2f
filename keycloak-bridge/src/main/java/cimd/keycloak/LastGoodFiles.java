// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/**
 * One small file for each client that had tokens, in Keycloak's data folder.
 *
 * <p>Written when an answer is new, or once an hour; the oldest go when there
 * are too many. Where files cannot be written, a restart while cimdd is down
 * costs refreshes until it is back, and nothing else.
 */
final class LastGoodFiles {
    private static final int MAX_FILES = 2000;
    private static final long REWRITE_MILLIS = TimeUnit.HOURS.toMillis(1);
    private static final String SUFFIX = ".json";
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Logger LOG = Logger.getLogger("cimd.keycloak");

    private final Path folder;
    private int count = -1;

    /** @param folder where they are kept; null keeps none */
    LastGoodFiles(Path folder) {
        this.folder = folder;
    }

    synchronized void write(String realmId, String clientId,
        LastGood.Entry entry) {
        if (folder == null) {
            return;
        }
        try {
            LastGood.Entry old = read(realmId, clientId);
            if (old == null || !old.policy().equals(entry.policy())
                || entry.at() - old.at() > REWRITE_MILLIS
                || !MessageDigest.isEqual(old.answer(), entry.answer())) {
                store(path(realmId, clientId), json(realmId, clientId, entry),
                    old == null);
            }
        } catch (IOException | UnsupportedOperationException e) {
            LOG.debugf(e, "cimd: %s cannot be written", folder);
        }
    }

    synchronized void remove(String realmId, String clientId) {
        try {
            if (folder != null && Files.deleteIfExists(
                path(realmId, clientId)) && count > 0) {
                count--;
            }
        } catch (IOException e) {
            LOG.warnf("cimd: %s: a client that is refused now cannot be"
                + " removed: %s", folder, e.getMessage());
        }
    }

    /** Null if there is none, or none that can be read. */
    synchronized LastGood.Entry read(String realmId, String clientId) {
        if (folder == null) {
            return null;
        }
        try {
            JsonNode o = JSON.readTree(Files.readAllBytes(
                path(realmId, clientId)));
            boolean same = o.path("realm").asText().equals(realmId)
                && o.path("client_id").asText().equals(clientId);
            return !same ? null : new LastGood.Entry(
                o.path("policy").asText(), o.path("at").asLong(),
                o.path("answer").asText().getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchFileException e) {
            return null;
        } catch (IOException e) {
            LOG.debugf(e, "cimd: %s cannot be read", folder);
            return null;
        }
    }

    private static byte[] json(String realmId, String clientId,
        LastGood.Entry entry) throws IOException {
        ObjectNode o = JSON.createObjectNode();
        o.put("realm", realmId);
        o.put("client_id", clientId);
        o.put("policy", entry.policy());
        o.put("at", entry.at());
        o.put("answer", new String(entry.answer(), StandardCharsets.UTF_8));
        return JSON.writeValueAsBytes(o);
    }

    private void store(Path path, byte[] bytes, boolean fresh)
        throws IOException {
        if (count < 0) {
            Files.createDirectories(folder, PosixFilePermissions
                .asFileAttribute(PosixFilePermissions.fromString(
                    "rwx------")));
            count = all().size();
        }
        if (fresh && count >= MAX_FILES) {
            prune();
        }
        Path draft = path.resolveSibling(path.getFileName() + ".new");
        Files.write(draft, bytes);
        Files.move(draft, path, StandardCopyOption.ATOMIC_MOVE,
            StandardCopyOption.REPLACE_EXISTING);
        count += fresh ? 1 : 0;
    }

    /** The oldest tenth goes. */
    private void prune() throws IOException {
        List<Path> found = all();
        found.stream().sorted(Comparator.comparingLong(
            p -> p.toFile().lastModified()))
            .limit(MAX_FILES / 10).forEach(p -> p.toFile().delete());
        count = all().size();
    }

    private List<Path> all() throws IOException {
        try (Stream<Path> found = Files.list(folder)) {
            return found.filter(p -> p.toString().endsWith(SUFFIX)).toList();
        }
    }

    private Path path(String realmId, String clientId) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(
                (realmId + ' ' + clientId).getBytes(StandardCharsets.UTF_8));
            return folder.resolve(Base64.getUrlEncoder().withoutPadding()
                .encodeToString(digest) + SUFFIX);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java has it
        }
    }
}
