// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.keycloak.component.ComponentModel;
import org.keycloak.models.ClientModel;
import org.keycloak.models.KeycloakSession;
import org.keycloak.storage.client.ClientStorageProviderModel;

/** What is decided when the engine does not say what one would like. */
class LookupTest {
    private static final String URL = Fakes.URL;
    private static final String AUTH = "/auth";
    private static final String TOKEN = "/token";
    /** A list, an introspection, a logout: whatever continues. */
    private static final String OTHER = "/logout";

    private final Fakes fakes = new Fakes();

    private Answer answer(KeycloakSession session) {
        return fakes.lookup(session).answer(URL);
    }

    private Answer answer(String path) {
        return answer(fakes.post(path));
    }

    /** As in a login that has begun well. */
    private void remember() {
        fakes.engine.answer = Fakes.good();
        assertTrue(answer(AUTH).good());
    }

    private static void assertProblem(String code, Answer answer) {
        assertNotNull(answer.problem(), "accepted");
        assertEquals(code, answer.problem().code());
    }

    @Test
    void oneCallForPurposeAndRequest() {
        fakes.engine.answer = Fakes.good();
        KeycloakSession session = fakes.post(TOKEN);
        assertTrue(answer(session).good());
        assertTrue(answer(session).good());
        assertEquals(1, fakes.engine.asked.size());
        assertTrue(answer(TOKEN).good());
        assertEquals(2, fakes.engine.asked.size());
    }

    /** Nothing is let in because a stranger keeps cimdd busy. */
    @Test
    void busy() {
        remember();
        fakes.engine.fault = new BusyException("too many");
        assertProblem(Problem.ENGINE, answer(AUTH));
        assertProblem(Problem.ENGINE, answer(TOKEN));
        assertTrue(answer(OTHER).good(), "lists go on");
    }

    @Test
    void gone() {
        remember();
        fakes.engine.fault = new EngineException("gone");
        assertTrue(answer(TOKEN).good(), "sessions go on");
        assertTrue(answer(OTHER).good(), "lists go on");
        assertProblem(Problem.ENGINE, answer(AUTH));
    }

    /** An answer that is none: not JSON, of somebody else, half of one. */
    @ParameterizedTest
    @ValueSource(strings = {"", "<html>", "[]", "{}", "{\"client\":{}}",
        "{\"code\":\"CIMD_E_BLOCKED\"}"})
    void nonsense(String said) {
        remember();
        fakes.engine.answer = said;
        assertProblem(Problem.ANSWER, answer(AUTH));
        assertTrue(answer(TOKEN).good(), "sessions go on");
        assertTrue(answer(OTHER).good(), "lists go on");
        fakes.engine.answer = Fakes.good();
        assertTrue(answer(AUTH).good(), "well again at once");
    }

    @Test
    void nonsenseAboutAStranger() {
        fakes.engine.answer = "<html>";
        assertProblem(Problem.ANSWER, answer(AUTH));
        assertProblem(Problem.ANSWER, answer(TOKEN));
        fakes.engine.answer = Fakes.good().replace(URL, URL + "2");
        assertEquals("an answer about another client",
            answer(TOKEN).problem().detail());
    }

    /** cimdd has forgotten it, and with reason: so do we. */
    @Test
    void notStored() {
        remember();
        fakes.engine.answer =
            Fakes.problem("CIMD_E_NOT_STORED", "unavailable");
        assertProblem("CIMD_E_NOT_STORED", answer(OTHER));
        assertProblem("CIMD_E_NOT_STORED", answer(TOKEN));
    }

    /** The document's server is down, which is no reason to hide a list. */
    @Test
    void unavailable() {
        remember();
        fakes.engine.answer = Fakes.problem("CIMD_E_TIMEOUT", "unavailable");
        assertTrue(answer(OTHER).good());
        assertProblem("CIMD_E_TIMEOUT", answer(TOKEN));
        assertProblem("CIMD_E_TIMEOUT", answer(AUTH));
    }

    @Test
    void refusedIsForgotten() {
        remember();
        fakes.engine.answer = Fakes.problem("CIMD_E_BLOCKED", "refused");
        assertProblem("CIMD_E_BLOCKED", answer(OTHER));
        fakes.engine.fault = new EngineException("gone");
        assertProblem(Problem.ENGINE, answer(OTHER));
    }

    /** Not prolonged by what cimdd itself could not refresh. */
    @Test
    void staleIsNotKept() {
        fakes.engine.answer = Fakes.good().replace("\"warnings\":[]",
            "\"warnings\":[\"stale\"]");
        assertTrue(answer(TOKEN).good());
        fakes.engine.fault = new EngineException("gone");
        assertProblem(Problem.ENGINE, answer(TOKEN));
    }

    @Test
    void switchedOff() {
        remember();
        fakes.executor("pkce-enforcer");
        for (String path : new String[] {AUTH, TOKEN, OTHER}) {
            assertProblem(Problem.SWITCHED_OFF, answer(path));
        }
        assertEquals(1, fakes.engine.asked.size());
    }

    @ParameterizedTest
    @CsvSource({"/auth, authorize", "/ext/par/request, authorize",
        "/token, token", "/userinfo, display"})
    void saysWhatItIsFor(String path, String purpose) {
        answer(path);
        assertTrue(fakes.engine.asked.get(0).contains(
            "\"purpose\":\"" + purpose + "\""), fakes.engine.asked.get(0));
    }

    /** Only what is ours, the document lists and the policy leaves. */
    @ParameterizedTest
    @ValueSource(strings = {"implicit", "", "Password",
        "urn:ietf:params:oauth:grant-type:uma-ticket",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "authorization_code ", "Refresh_Token"})
    void otherGrants(String grant) {
        fakes.engine.answer = Fakes.good("authorization_code", grant);
        assertProblem(Problem.GRANT,
            answer(fakes.post(TOKEN, "grant_type", grant)));
        assertEquals(0, fakes.engine.asked.size());
        assertTrue(answer(fakes.post(OTHER, "grant_type", grant)).good());
    }

    /** Keycloak refuses these itself, whatever document and policy say. */
    @ParameterizedTest
    @ValueSource(strings = {"client_credentials", "password",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:openid:params:grant-type:ciba"})
    void grantsThatTheModelHasOff(String grant) throws EngineException {
        fakes.engine.answer = Fakes.good("authorization_code", grant);
        KeycloakSession session = fakes.post(TOKEN, "grant_type", grant);
        assertTrue(answer(session).good());
        CimdClientModel model = model(false, "[\"none\"]", session);
        assertFalse(model.isServiceAccountsEnabled());
        assertFalse(model.isDirectAccessGrantsEnabled());
        assertFalse(model.isImplicitFlowEnabled());
        for (String flow : new String[] {"oidc.ciba.grant.enabled",
            "oauth2.device.authorization.grant.enabled"}) {
            assertEquals("false", model.getAttribute(flow));
        }
    }

    @Test
    void grantsOfTheDocument() {
        fakes.engine.answer = Fakes.good("authorization_code");
        assertTrue(answer(fakes.post(TOKEN, "grant_type",
            "authorization_code")).good());
        assertProblem(Problem.GRANT, answer(fakes.post(TOKEN, "grant_type",
            "refresh_token")));
        fakes.engine.fault = new EngineException("gone");
        assertProblem(Problem.GRANT, answer(fakes.post(TOKEN, "grant_type",
            "refresh_token")));
    }

    private static String id(String clientId) {
        return "f:k:" + ClientIds.external(clientId);
    }

    /** Null would be the end of its sessions and consents. */
    @ParameterizedTest
    @ValueSource(strings = {"CIMD_E_BLOCKED", "CIMD_E_NOT_STORED"})
    void idsAreNeverNull(String code) {
        fakes.engine.answer = Fakes.problem(code,
            code.equals("CIMD_E_BLOCKED") ? "refused" : "unavailable");
        for (String path : new String[] {AUTH, TOKEN, OTHER}) {
            CimdClientModel model = (CimdClientModel) fakes.storage(
                fakes.get(path)).getClientById(fakes.realm, id(URL));
            assertEquals(URL, model.getClientId());
            assertFalse(model.isEnabled());
            assertTrue(model.getRedirectUris().isEmpty());
        }
    }

    /** What cannot be an id of ours is none, and nobody is asked. */
    @ParameterizedTest
    @ValueSource(strings = {"f:k:account", "f:k:", "f:k:!", "f:k:aHR0cHM6Ly8",
        "f:k:aHR0cHM6Ly9hLmV4YW1wbGUvYw==", "f:k:gICAgICAgICAgICA"})
    void idsThatWereNeverIssued(String id) {
        assertNull(fakes.storage(fakes.get(OTHER)).getClientById(fakes.realm,
            id));
        assertEquals(0, fakes.engine.asked.size());
    }

    /** No id is issued to whoever is not let in, or is none of ours. */
    @Test
    void newIdsOnlyForThoseWhoMayComeIn() {
        fakes.engine.answer = Fakes.good();
        assertNotNull(byName(URL));
        int asked = fakes.engine.asked.size();
        for (String other : new String[] {"account", "http://a.example/c",
            "https://", URL + "x".repeat(192)}) {
            assertNull(byName(other), other);
        }
        assertEquals(asked, fakes.engine.asked.size());
        fakes.engine.answer = Fakes.problem("CIMD_E_POLICY", "refused");
        assertNull(byName(URL));
        fakes.executor("pkce-enforcer");
        assertNull(byName(URL));
    }

    private Object byName(String clientId) {
        return fakes.storage(fakes.get(AUTH)).getClientByClientId(
            fakes.realm, clientId);
    }

    /** The one that is registered in Keycloak wins, but not in lists. */
    @Test
    void registeredWins() {
        fakes.engine.answer = Fakes.good();
        ClientModel own = Fakes.of(ClientModel.class, Map.of());
        fakes.registered.put(URL, own);
        for (String path : new String[] {AUTH, TOKEN}) {
            assertEquals(own, fakes.storage(fakes.get(path)).getClientById(
                fakes.realm, id(URL)));
        }
        assertEquals(0, fakes.engine.asked.size());
        assertEquals(URL, fakes.storage(fakes.get(OTHER)).getClientById(
            fakes.realm, id(URL)).getClientId());
    }

    private static final String KEYS = ",\"jwks\":{\"keys\":[{\"kty\":\"EC\","
        + "\"crv\":\"P-256\",\"x\":\"x\",\"y\":\"y\"}]}}";

    /** The model of a client that has keys, or not, and these methods. */
    private CimdClientModel model(boolean keys, String methods,
        KeycloakSession session) throws EngineException {
        String answer = Fakes.good().replace("[\"none\"]", methods);
        if (keys) {
            answer = answer.replace("},\"decision\"", KEYS + ",\"decision\"");
        }
        ClientRecord record = AnswerReader.read(answer.getBytes(
            StandardCharsets.UTF_8), URL).client();
        ComponentModel component = new ComponentModel();
        component.setId("k");
        return new CimdClientModel(session, fakes.realm,
            new ClientStorageProviderModel(component), URL, record,
            fakes.bridge.realm(fakes.realm).settings(URL).orElseThrow());
    }

    /** Who is held to the assertion, and who passes without one. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "false | [\"none\"]                      | false | true",
        "false | [\"none\"]                      | true  | true",
        "true  | [\"private_key_jwt\"]           | false | false",
        "true  | [\"private_key_jwt\"]           | true  | false",
        "true  | [\"none\",\"private_key_jwt\"]  | false | true",
        "true  | [\"none\",\"private_key_jwt\"]  | true  | false",
        "true  | [\"none\"]                      | true  | true",
        "false | [\"none\",\"private_key_jwt\"]  | true  | true",
        "false | [\"private_key_jwt\"]           | false | false",
        "false | []                              | false | false",
    })
    void publicClients(boolean keys, String methods, boolean assertion,
        boolean isPublic) throws EngineException {
        KeycloakSession session = assertion
            ? fakes.post(TOKEN, "client_assertion", "x") : fakes.post(TOKEN);
        assertEquals(isPublic, model(keys, methods, session)
            .isPublicClient());
    }

    /** An assertion is a field of a form; JSON elsewhere is not read. */
    @Test
    void assertionsOfOtherRequests() throws EngineException {
        assertTrue(model(true, "[\"none\",\"private_key_jwt\"]",
            fakes.get(TOKEN)).isPublicClient());
    }

    /** Without a record it is disabled, and public is what needs nothing. */
    @Test
    void disabledModel() {
        fakes.engine.answer = Fakes.problem("CIMD_E_BLOCKED", "refused");
        CimdClientModel model = (CimdClientModel) fakes.storage(
            fakes.get(OTHER)).getClientById(fakes.realm, id(URL));
        assertTrue(model.isPublicClient());
        assertFalse(model.isStandardFlowEnabled());
        assertEquals("false", model.getAttribute("use.refresh.tokens"));
    }
}
