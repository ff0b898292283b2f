// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import java.util.List;
import org.keycloak.Config;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.KeycloakSessionFactory;
import org.keycloak.provider.ProviderConfigProperty;
import org.keycloak.services.clientpolicy.condition.ClientPolicyConditionProviderFactory;

/** For realms with several sets of rules: which clients a policy is for. */
public final class CimdClientIdConditionFactory
    implements ClientPolicyConditionProviderFactory {
    @Override
    public String getId() {
        return RealmSwitch.CONDITION;
    }

    @Override
    public CimdClientIdCondition create(KeycloakSession session) {
        return new CimdClientIdCondition(session);
    }

    @Override
    public String getHelpText() {
        return "The client is identified by an https URL, and the URL is one"
            + " of these. Of several policies with the executor \"cimd\" the"
            + " first whose conditions match a client is the one for it.";
    }

    @Override
    public List<ProviderConfigProperty> getConfigProperties() {
        return List.of(
            new ProviderConfigProperty(ClientMatch.CLIENTS, "Clients",
                "URLs, URLs with * for one segment of the path, or hosts."
                + " Empty: any client that is identified by a URL.",
                ProviderConfigProperty.MULTIVALUED_STRING_TYPE, null),
            new ProviderConfigProperty(ClientMatch.NEGATIVE,
                "Negative logic", "On: all clients but these.",
                ProviderConfigProperty.BOOLEAN_TYPE, false));
    }

    @Override
    public void init(Config.Scope config) {
        // There is nothing to set.
    }

    @Override
    public void postInit(KeycloakSessionFactory factory) {
        // Nothing to listen to.
    }

    @Override
    public void close() {
        // Nothing is held.
    }
}
