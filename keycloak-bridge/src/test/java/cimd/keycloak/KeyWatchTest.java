// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.keycloak.crypto.PublicKeysWrapper;
import org.keycloak.keys.PublicKeyLoader;
import org.keycloak.keys.PublicKeyStorageProvider;

class KeyWatchTest {
    private static final PublicKeyLoader OURS =
        () -> new PublicKeysWrapper(List.of());

    /** A storage whose reloadKeys loads, or does not, and then says this. */
    private static PublicKeyStorageProvider storage(boolean loads,
        boolean says) {
        return (PublicKeyStorageProvider) Proxy.newProxyInstance(
            KeyWatchTest.class.getClassLoader(),
            new Class<?>[] {PublicKeyStorageProvider.class},
            (proxy, method, args) -> {
                if (loads) {
                    ((PublicKeyLoader) args[1]).loadKeys();
                }
                return says;
            });
    }

    @Test
    void onlyWhereOurKeysWereRead() {
        assertTrue(KeyWatch.reload(storage(true, true), "k", OURS));
        assertFalse(KeyWatch.reload(storage(false, true), "k", OURS));
        assertFalse(KeyWatch.reload(storage(true, false), "k", OURS));
        assertFalse(KeyWatch.reload(storage(false, false), "k", OURS));
    }
}
