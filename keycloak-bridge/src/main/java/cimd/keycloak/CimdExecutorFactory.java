// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import java.util.List;
import org.keycloak.Config;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.KeycloakSessionFactory;
import org.keycloak.provider.ProviderConfigProperty;
import org.keycloak.services.clientpolicy.executor.ClientPolicyExecutorProviderFactory;

/** The administrator's page: Realm settings, Client policies, Profiles. */
public final class CimdExecutorFactory
    implements ClientPolicyExecutorProviderFactory {
    @Override
    public String getId() {
        return RealmSwitch.EXECUTOR;
    }

    @Override
    public CimdExecutor create(KeycloakSession session) {
        return new CimdExecutor(session);
    }

    @Override
    public String getHelpText() {
        return "Accepts OAuth and MCP clients that are identified by an https"
            + " URL (Client ID Metadata Documents). Who may come is said"
            + " here; cimdd on this machine checks each client's document.";
    }

    @Override
    public List<ProviderConfigProperty> getConfigProperties() {
        return SettingsForm.properties();
    }

    @Override
    public void init(Config.Scope config) {
        // The options of the machine belong to the client storage.
    }

    @Override
    public void postInit(KeycloakSessionFactory factory) {
        // Nothing to listen to: settings are read when they are needed.
    }

    @Override
    public void close() {
        // Nothing is held.
    }
}
