// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.keycloak.crypto.PublicKeysWrapper;
import org.keycloak.jose.jwk.JWK;
import org.keycloak.keys.PublicKeyLoader;
import org.keycloak.keys.PublicKeyStorageProvider;
import org.keycloak.keys.PublicKeyStorageUtils;
import org.keycloak.keys.loader.ClientPublicKeyLoader;
import org.keycloak.models.ClientModel;
import org.keycloak.models.KeycloakSession;

/**
 * Sees to it that a key that left the document leaves Keycloak.
 *
 * <p>Keycloak keeps parsed keys per client and reads them again only for a
 * {@code kid} that it does not know, so that a key replaced under its old
 * {@code kid} would go on working. Whenever a client's keys are not those of
 * the last time, they are loaded again before anybody is authenticated with
 * them. Keycloak refuses that for some seconds after the last time; until
 * then the client has to wait.
 */
final class KeyWatch {
    private static final int MAX_CLIENTS = 10_000;

    /** Hashes: the keys themselves are as long as a stranger likes. */
    private final Map<String, String> seen =
        new LinkedHashMap<>(64, 0.75f, true) {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(
                Map.Entry<String, String> eldest) {
                return size() > MAX_CLIENTS;
            }
        };

    /**
     * @param client a model with the keys of the document
     * @param jwks these keys
     * @return does Keycloak have them now, and no others?
     */
    synchronized boolean current(KeycloakSession session, ClientModel client,
        String jwks) {
        String key = PublicKeyStorageUtils.getClientModelCacheKey(
            client.getRealm().getId(), client.getId(), JWK.Use.SIG);
        String digest = digest(jwks);
        if (digest.equals(seen.get(key))) {
            return true;
        }
        PublicKeyStorageProvider keys =
            session.getProvider(PublicKeyStorageProvider.class);
        boolean read = reload(keys, key, new ClientPublicKeyLoader(session,
            client, JWK.Use.SIG));
        if (read) {
            seen.put(key, digest);
        }
        return read;
    }

    /**
     * Did Keycloak read these keys? It also says yes where it joined a load
     * that was under way, which may have been of the keys before.
     */
    static boolean reload(PublicKeyStorageProvider keys, String key,
        PublicKeyLoader ours) {
        AtomicBoolean read = new AtomicBoolean();
        return keys.reloadKeys(key, () -> {
            PublicKeysWrapper found = ours.loadKeys();
            read.set(true);
            return found;
        }) && read.get();
    }

    private static String digest(String jwks) {
        try {
            return Base64.getEncoder().encodeToString(
                MessageDigest.getInstance("SHA-256").digest(
                    jwks.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java has it
        }
    }
}
