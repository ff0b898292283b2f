// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import java.nio.file.Path;
import org.keycloak.Config;
import org.keycloak.component.ComponentModel;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.KeycloakSessionFactory;
import org.keycloak.models.RealmModel;
import org.keycloak.storage.client.ClientStorageProviderFactory;
import org.keycloak.storage.client.ClientStorageProviderModel;

/**
 * Keycloak's hook: clients that it does not know are asked for here.
 *
 * <p>The options of the machine belong to it, as
 * {@code --spi-client-storage--cimd--NAME}: {@code engine} ("socket" or
 * "jni"), {@code socket} and {@code timeout} for the one, {@code library} and
 * {@code config} for the other, {@code state-dir} for both.
 */
public final class CimdClientStorageProviderFactory
    implements ClientStorageProviderFactory<CimdClientStorageProvider> {
    private static final String SOCKET_ENGINE = "socket";
    private static final String JNI_ENGINE = "jni";
    private static final String SOCKET = "/run/cimd/lookup.sock";
    private static final String LIBRARY = "/usr/lib/libcimd_jni.so";
    private static final String CONFIG = "/etc/cimd/keycloak.json";
    private static final int TIMEOUT_MILLIS = 5000;
    /** A fetch that cimdd gives up in time must not look like an outage. */
    private static final int MIN_TIMEOUT_MILLIS = 4500;

    private Config.Scope options;
    private int timeoutMillis = TIMEOUT_MILLIS;
    private Bridge bridge;

    /** As Keycloak makes it. */
    public CimdClientStorageProviderFactory() {
        // The bridge is made at its first use.
    }

    /** With a bridge that is there already. */
    CimdClientStorageProviderFactory(Bridge bridge) {
        this.bridge = bridge;
    }

    @Override
    public String getId() {
        return Bridge.ID;
    }

    @Override
    public String getHelpText() {
        return "Accepts OAuth clients that are identified by an https URL";
    }

    @Override
    public void init(Config.Scope config) {
        options = config;
        String engine = option("engine", SOCKET_ENGINE);
        if (!engine.equals(SOCKET_ENGINE) && !engine.equals(JNI_ENGINE)) {
            throw new IllegalArgumentException("option engine of"
                + " spi-client-storage-cimd: there is no engine \"" + engine
                + "\", but \"socket\" and \"jni\"");
        }
        timeoutMillis = timeout(option("timeout",
            Integer.toString(TIMEOUT_MILLIS)));
    }

    /** A realm that comes with its policies from a file has a component. */
    @Override
    public void postInit(KeycloakSessionFactory factory) {
        factory.register(event -> {
            if (event instanceof RealmModel.RealmPostCreateEvent created
                && bridge().realm(created.getCreatedRealm()).on()) {
                Component.ensure(created.getKeycloakSession(),
                    created.getCreatedRealm());
            }
        });
    }

    private static int timeout(String text) {
        int millis;
        try {
            millis = Integer.parseInt(text);
        } catch (NumberFormatException e) {
            millis = 0;
        }
        if (millis < MIN_TIMEOUT_MILLIS) {
            throw new IllegalArgumentException("option timeout of"
                + " spi-client-storage-cimd: \"" + text + "\", but a number"
                + " of milliseconds, at least " + MIN_TIMEOUT_MILLIS
                + ", is expected");
        }
        return millis;
    }

    @Override
    public CimdClientStorageProvider create(KeycloakSession session,
        ComponentModel model) {
        return new CimdClientStorageProvider(session,
            new ClientStorageProviderModel(model));
    }

    /**
     * Made at the first use: "kc.sh build" makes factories, too, where there
     * is neither a daemon nor a library.
     */
    synchronized Bridge bridge() {
        if (bridge == null) {
            bridge = new Bridge(engine(), new LastGood(
                new LastGoodFiles(dataFolder())));
        }
        return bridge;
    }

    @Override
    public synchronized void close() {
        if (bridge != null) {
            bridge.close();
            bridge = null;
        }
    }

    /** Below Keycloak's own data; null where that is not known. */
    private Path dataFolder() {
        String home = System.getProperty("kc.home.dir");
        String folder = option("state-dir",
            home == null ? "" : home + "/data/cimd");
        return folder.isEmpty() ? null : Path.of(folder);
    }

    private CimdEngine engine() {
        if (option("engine", SOCKET_ENGINE).equals(JNI_ENGINE)) {
            return new JniEngine(Path.of(option("library", LIBRARY)),
                Path.of(option("config", CONFIG)));
        }
        return new SocketEngine(Path.of(option("socket", SOCKET)),
            timeoutMillis);
    }

    private String option(String name, String otherwise) {
        return options == null ? otherwise : options.get(name, otherwise);
    }
}
