// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import com.fasterxml.jackson.databind.ObjectMapper;
import org.keycloak.models.ClientModel;
import org.keycloak.models.KeycloakSession;
import org.keycloak.representations.idm.ClientPolicyConditionConfigurationRepresentation;
import org.keycloak.services.clientpolicy.ClientPolicyContext;
import org.keycloak.services.clientpolicy.ClientPolicyVote;
import org.keycloak.services.clientpolicy.condition.ClientPolicyConditionProvider;
import org.keycloak.services.clientpolicy.context.PreAuthorizationRequestContext;

/** Is this request of a client that is identified by one of these URLs? */
public final class CimdClientIdCondition
    implements ClientPolicyConditionProvider<CimdClientIdCondition.Form> {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final KeycloakSession session;
    private Form form = new Form();

    CimdClientIdCondition(KeycloakSession session) {
        this.session = session;
    }

    /** The form; its parent takes every field. */
    public static final class Form
        extends ClientPolicyConditionConfigurationRepresentation {
    }

    @Override
    public String getProviderId() {
        return RealmSwitch.CONDITION;
    }

    @Override
    public void setupConfiguration(Form config) {
        form = config;
    }

    @Override
    public Class<Form> getConditionConfigurationClass() {
        return Form.class;
    }

    /** Keycloak negates the vote itself. */
    @Override
    public boolean isNegativeLogic() {
        return form != null && Boolean.TRUE.equals(form.isNegativeLogic());
    }

    @Override
    public ClientPolicyVote applyPolicy(ClientPolicyContext context) {
        String clientId = clientId(context);
        if (clientId == null || form == null) {
            return ClientPolicyVote.ABSTAIN;
        }
        return ClientMatch.of(JSON.valueToTree(form)).matches(clientId)
            ? ClientPolicyVote.YES : ClientPolicyVote.NO;
    }

    private String clientId(ClientPolicyContext context) {
        if (context instanceof PreAuthorizationRequestContext pre) {
            return pre.getClientId();
        }
        ClientModel client = session.getContext().getClient();
        return client == null ? null : client.getClientId();
    }
}
