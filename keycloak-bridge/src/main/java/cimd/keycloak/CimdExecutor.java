// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import jakarta.ws.rs.core.MultivaluedMap;
import org.keycloak.models.ClientModel;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.RealmModel;
import org.keycloak.protocol.oidc.par.clientpolicy.context.PushedAuthorizationRequestContext;
import org.keycloak.representations.idm.ClientPolicyExecutorConfigurationRepresentation;
import org.keycloak.services.clientpolicy.ClientPolicyContext;
import org.keycloak.services.clientpolicy.ClientPolicyException;
import org.keycloak.services.clientpolicy.context.PreAuthorizationRequestContext;
import org.keycloak.services.clientpolicy.context.TokenRefreshResponseContext;
import org.keycloak.services.clientpolicy.context.TokenResponseContext;
import org.keycloak.services.clientpolicy.executor.ClientPolicyExecutorProvider;
import org.keycloak.storage.StorageId;

/**
 * Makes the component when its form is saved. Comes before Keycloak's own
 * lookup of a client at the authorization endpoint: brings the component in
 * step, fetches, and says what is wrong in a sentence where Keycloak would say
 * "Client not found". Comes again when tokens are given out, which is when a
 * client is worth to be remembered.
 */
public final class CimdExecutor
    implements ClientPolicyExecutorProvider<CimdExecutor.Form> {
    private static final String REDIRECT_URI = "redirect_uri";

    private final KeycloakSession session;

    CimdExecutor(KeycloakSession session) {
        this.session = session;
    }

    /**
     * The form as Keycloak reads it. Its values come from the realm itself
     * (RealmSwitch), where lookups outside of policy events find them, too.
     */
    public static final class Form
        extends ClientPolicyExecutorConfigurationRepresentation {
        // Its parent takes every field.
    }

    @Override
    public String getProviderId() {
        return RealmSwitch.EXECUTOR;
    }

    @Override
    public Class<Form> getExecutorConfigurationClass() {
        return Form.class;
    }

    /**
     * Comes first when the form is saved: the component is made there,
     * because nothing of ours is called before a pushed request looks for its
     * client. Whatever else is wrong with what is being saved takes the
     * component back as well. (An imported realm gets its own when it is
     * there: CimdClientStorageProviderFactory.)
     */
    @Override
    public void setupConfiguration(Form form) {
        RealmModel realm = session.getContext().getRealm();
        if (realm != null && Requests.administers(session, realm)) {
            Component.ensure(session, realm);
        }
    }

    @Override
    public void executeOnEvent(ClientPolicyContext context)
        throws ClientPolicyException {
        if (context instanceof PreAuthorizationRequestContext pre) {
            before(pre.getClientId(), pre.getRequestParameters());
        } else if (session.getContext().getClient()
            instanceof CimdClientModel client) {
            after(context, client);
        }
    }

    /** The client is known. */
    private void after(ClientPolicyContext context, CimdClientModel client)
        throws ClientPolicyException {
        if (context instanceof PushedAuthorizationRequestContext par
            && par.getRequestParameters().getFirst(REDIRECT_URI) == null) {
            refuse(client.getRealm(), client.getClientId(), noRedirectUri());
        } else if (context instanceof TokenResponseContext
            || context instanceof TokenRefreshResponseContext) {
            Bridge.of(session).lastGood().gotTokens(client.getRealm().getId(),
                client.getClientId());
        }
    }

    private void before(String clientId,
        MultivaluedMap<String, String> parameters)
        throws ClientPolicyException {
        RealmModel realm = session.getContext().getRealm();
        if (!ClientIds.isUrl(clientId)
            || !RealmState.of(session, realm).accepts(clientId)) {
            return;
        }
        if (!Component.ensure(session, realm)) {
            throw error(clientId, new Problem(Problem.ENGINE,
                Problem.Kind.UNAVAILABLE, "temporarily_unavailable",
                "another request is making the component"));
        }
        if (!ClientIds.fits(clientId)) {
            refuse(realm, clientId, new Problem(Problem.TOO_LONG,
                Problem.Kind.REFUSED, "invalid_client",
                "a client_id may have " + ClientIds.MAX_BYTES
                + " bytes in Keycloak"));
        }
        Lookup lookup = new Lookup(session, realm);
        String redirectUri = parameters.getFirst(REDIRECT_URI);
        ClientModel client = realm.getClientByClientId(clientId);
        if (client != null && StorageId.isLocalStorage(client.getId())) {
            return; // registered in Keycloak itself, which wins
        }
        check(lookup.answer(clientId), clientId, redirectUri,
            parameters.containsKey("request_uri"));
    }

    private void check(Answer answer, String clientId, String redirectUri,
        boolean pushed)
        throws ClientPolicyException {
        if (!answer.good()) {
            throw error(clientId, answer.problem());
        }
        if (redirectUri == null && !pushed
            || redirectUri != null && !answer.client().redirectOk()) {
            refuse(session.getContext().getRealm(), clientId,
                noRedirectUri());
        }
    }

    private static Problem noRedirectUri() {
        return new Problem(Problem.REDIRECT, Problem.Kind.REFUSED,
            "invalid_request", "redirect_uri is missing, or none of those"
            + " that the client lists and the policy allows");
    }

    private void refuse(RealmModel realm, String clientId, Problem problem)
        throws ClientPolicyException {
        Report.of(session, realm).refused(clientId, problem);
        throw error(clientId, problem);
    }

    private static ClientPolicyException error(String clientId,
        Problem problem) {
        return new ClientPolicyException(problem.error(),
            problem.sentence(clientId));
    }
}
