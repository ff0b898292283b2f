// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.keycloak.models.ClientScopeModel;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.RealmModel;

/**
 * The one place that decides what is known about a client now.
 *
 * <p>Both lookup methods of the storage and the executor come here. Whatever
 * they ask, there is one call of the engine for a client and purpose in a
 * session: Keycloak looks a client up three to five times within a login.
 */
final class Lookup {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** cimdd knows the client no more: it expired, or was forgotten. */
    private static final String NOT_STORED = "CIMD_E_NOT_STORED";
    private static final String MEMO = "cimd.answers";
    /**
     * What the bridge takes part in at the token endpoint, where document and
     * policy have it, too. Keycloak has more, some of which need nothing of a
     * client but that it is there (a UMA ticket for a token of its own).
     */
    private static final Set<String> GRANTS =
        Set.of("authorization_code", "refresh_token");
    /** Off in every model of ours: Keycloak says so, in clear words. */
    private static final Set<String> SWITCHED_OFF = Set.of(
        "client_credentials", "password",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:openid:params:grant-type:ciba");

    private final KeycloakSession session;
    private final Bridge bridge;
    private final RealmModel realm;

    Lookup(KeycloakSession session, RealmModel realm) {
        this.session = session;
        this.bridge = Bridge.of(session);
        this.realm = realm;
    }

    /** What is known about a client, in this request. */
    Answer answer(String clientId) {
        Purpose purpose = Purpose.of(session);
        Map<String, Answer> memo = memo();
        String key = purpose + " " + realm.getId() + " " + clientId;
        Answer known = memo.get(key);
        if (known == null) {
            String redirectUri = purpose == Purpose.AUTHORIZE
                ? Requests.parameter(session, "redirect_uri") : null;
            known = decide(clientId, redirectUri, purpose);
            if (known.good() && redirectUri != null) {
                // cimdd knows more forms of loopback than Keycloak does, and
                // Keycloak some that cimdd does not let pass.
                known = Answer.of(known.client().redirectOk()
                    ? known.client().with(redirectUri)
                    : known.client().withoutRedirects());
            }
            if (known.good() && !asksUsers(clientId, known.client())) {
                known = Answer.of(new Problem(Problem.CONSENT,
                    Problem.Kind.BROKEN, "server_error", "none of the"
                    + " realm's default client scopes that such clients get"
                    + " is shown on the consent page: users would not be"
                    + " asked"));
            }
            memo.put(key, known);
            Report.of(session, realm).answered(clientId, known, purpose);
        }
        return known;
    }

    /** Keycloak shows no consent page that has no line. */
    private boolean asksUsers(String clientId, ClientRecord record) {
        return bridge.realm(realm).settings(clientId)
            .filter(s -> Scopes.of(realm, record, s, true).values().stream()
                .anyMatch(ClientScopeModel::isDisplayOnConsentScreen))
            .isPresent();
    }

    private Answer decide(String clientId, String redirectUri,
        Purpose purpose) {
        Optional<Settings> settings = bridge.realm(realm).settings(clientId);
        if (settings.isEmpty()) {
            return off("no enabled client policy of the realm is about this"
                + " client");
        }
        // Keycloak remembers which client is ours, and asks nobody else.
        if (purpose == Purpose.AUTHORIZE
            && RealmState.of(session, realm).standsBack()) {
            return off("Keycloak's own executor is in the realm: ours takes"
                + " no new logins");
        }
        String grant = purpose == Purpose.TOKEN
            ? Requests.form(session, "grant_type") : null;
        boolean ours = grant != null && GRANTS.contains(grant);
        if (grant != null && !ours && !SWITCHED_OFF.contains(grant)) {
            return Answer.of(Problem.grant(grant));
        }
        String policy = settings.get().policy();
        Answer answer = ask(clientId, redirectUri, purpose, policy);
        return answer.good() && ours
            && !answer.client().grants().contains(grant)
            ? Answer.of(Problem.grant(grant)) : answer;
    }

    private Answer ask(String clientId, String redirectUri, Purpose purpose,
        String policy) {
        try {
            return judged(clientId, policy, purpose, bridge.call(request(
                clientId, redirectUri, purpose, policy), clientId, purpose));
        } catch (BusyException e) {
            // Nothing is let in because a stranger keeps cimdd busy.
            return purpose != Purpose.DISPLAY
                ? Answer.of(Problem.engine(e))
                : lastGood(clientId, policy, purpose, Problem.engine(e));
        } catch (GarbledException e) {
            // No better than silence: nobody may come in by it, and nobody
            // who is in loses a session to it.
            return lastGood(clientId, policy, purpose,
                Problem.unreadable(e));
        } catch (EngineException e) {
            return lastGood(clientId, policy, purpose, Problem.engine(e));
        }
    }

    private static Answer off(String why) {
        return Answer.of(new Problem(Problem.SWITCHED_OFF,
            Problem.Kind.REFUSED, "unauthorized_client", why));
    }

    private Answer judged(String clientId, String policy, Purpose purpose,
        Bridge.Reply reply) {
        Answer answer = reply.answer();
        if (answer.good()) {
            if (!answer.client().stale()) {
                bridge.lastGood().keep(realm.getId(), clientId, policy,
                    reply.bytes(), answer.client().trusted());
            }
        } else if (answer.is(Problem.Kind.REFUSED)) {
            bridge.lastGood().forget(realm.getId(), clientId);
        } else if (answer.is(Problem.Kind.UNAVAILABLE)
            && purpose == Purpose.DISPLAY
            && !answer.problem().code().equals(NOT_STORED)) {
            return lastGood(clientId, policy, purpose, answer.problem());
        }
        return answer;
    }

    private Answer lastGood(String clientId, String policy, Purpose purpose,
        Problem problem) {
        ClientRecord kept = null;
        try {
            if (purpose != Purpose.AUTHORIZE) {
                kept = bridge.lastGood().get(realm.getId(), clientId, policy);
            }
        } catch (EngineException e) {
            // A file that is damaged: as if there were none.
        }
        return kept == null ? Answer.of(problem) : Answer.of(kept);
    }

    private byte[] request(String clientId, String redirectUri,
        Purpose purpose, String policy) throws EngineException {
        ObjectNode o = JSON.createObjectNode();
        o.put("client_id", clientId);
        o.put("purpose", purpose.word());
        // Each realm holds a client to its own first document.
        o.put("tenant", realm.getId());
        if (redirectUri != null) {
            o.put("redirect_uri", redirectUri);
        }
        String from = Requests.remoteAddress(session);
        if (from != null) {
            o.put("remote_addr", from);
        }
        o.putRawValue("policy", new RawValue(policy));
        try {
            return JSON.writeValueAsBytes(o);
        } catch (JsonProcessingException e) {
            throw new EngineException("a request that is no JSON", e);
        }
    }

    /**
     * A plain map, because a session is of one thread: Keycloak keeps its
     * attributes in a plain map as well. What looks as if it were otherwise is
     * not: a search of the console runs in the thread of its request, while
     * another one only watches the time (ServicesUtils.timeBound), and who
     * writes sessions down in the background opens a session of its own.
     */
    @SuppressWarnings("unchecked")
    private Map<String, Answer> memo() {
        Object found = session.getAttribute(MEMO);
        if (found == null) {
            found = new HashMap<String, Answer>();
            session.setAttribute(MEMO, found);
        }
        return (Map<String, Answer>) found;
    }
}
