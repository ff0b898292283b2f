// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import jakarta.ws.rs.core.MultivaluedHashMap;
import jakarta.ws.rs.core.MultivaluedMap;
import jakarta.ws.rs.core.UriInfo;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.keycloak.component.ComponentModel;
import org.keycloak.http.HttpRequest;
import org.keycloak.models.ClientModel;
import org.keycloak.models.ClientProvider;
import org.keycloak.models.ClientScopeModel;
import org.keycloak.models.KeycloakContext;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.KeycloakSessionFactory;
import org.keycloak.models.KeycloakTransactionManager;
import org.keycloak.models.KeycloakUriInfo;
import org.keycloak.models.RealmModel;
import org.keycloak.models.RealmProvider;
import org.keycloak.storage.client.ClientStorageProviderModel;
import org.keycloak.urls.HostnameProvider;
import org.keycloak.urls.UrlType;

/**
 * One request at a Keycloak that does nothing by itself.
 *
 * <p>What Keycloak really does is tested on a live one; here are the faults
 * that a live one does not have when a test wants them.
 */
final class Fakes {
    static final String URL = "https://a.example/c";
    private static final String OIDC =
        "/realms/mcp/protocol/openid-connect";

    /** Answers as a test says, and counts. */
    static final class Engine implements CimdEngine {
        final List<String> asked = new ArrayList<>();
        /** Thrown if it is there. */
        EngineException fault;
        String answer = "[]";

        @Override
        public byte[] client(byte[] request) throws EngineException {
            asked.add(new String(request, StandardCharsets.UTF_8));
            if (fault != null) {
                throw fault;
            }
            return answer.getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public String describe() {
            return "engine of a test";
        }

        @Override
        public void close() {
            // Holds nothing.
        }
    }

    final Engine engine = new Engine();
    final Map<String, String> realmAttributes = new HashMap<>();
    /** Registered in Keycloak itself. */
    final Map<String, ClientModel> registered = new HashMap<>();
    final Bridge bridge;
    final RealmModel realm;

    Fakes(LastGood lastGood) {
        bridge = new Bridge(engine, lastGood);
        ClientScopeModel shown = of(ClientScopeModel.class, Map.of(
            "getName", a -> "profile", "getProtocol", a -> "openid-connect",
            "isDisplayOnConsentScreen", a -> true));
        realm = of(RealmModel.class, Map.of("getId", a -> "r",
            "getName", a -> "mcp",
            "getAttribute", a -> realmAttributes.get(a[0]),
            "getDefaultClientScopesStream", a -> a[0].equals(true)
                ? Stream.of(shown) : Stream.empty()));
        executor(RealmSwitch.EXECUTOR);
    }

    Fakes() {
        this(new LastGood(new LastGoodFiles(null)));
    }

    /** The realm's one policy has these executors. */
    void executor(String... names) {
        StringBuilder all = new StringBuilder();
        for (String name : names) {
            all.append(all.isEmpty() ? "" : ",").append(
                "{\"executor\":\"" + name + "\",\"configuration\":{}}");
        }
        realmAttributes.put(RealmSwitch.PROFILES, "{\"profiles\":[{"
            + "\"name\":\"p\",\"executors\":[" + all + "]}]}");
        realmAttributes.put(RealmSwitch.POLICIES, "{\"policies\":[{"
            + "\"name\":\"p\",\"enabled\":true,\"conditions\":[{"
            + "\"condition\":\"any-client\"}],\"profiles\":[\"p\"]}]}");
    }

    /** What the settings of the realm are called where they are kept. */
    String policy() {
        return bridge.realm(realm).settings(URL).orElseThrow().policy();
    }

    /** A GET of a path below that of OpenID Connect. */
    KeycloakSession get(String path) {
        return session(path, null);
    }

    /** A POST with these fields: names and values in turn. */
    KeycloakSession post(String path, String... form) {
        MultivaluedMap<String, String> fields = new MultivaluedHashMap<>();
        for (int i = 0; i < form.length; i += 2) {
            fields.add(form[i], form[i + 1]);
        }
        return session(path, fields);
    }

    Lookup lookup(KeycloakSession session) {
        return new Lookup(session, realm);
    }

    CimdClientStorageProvider storage(KeycloakSession session) {
        ComponentModel model = new ComponentModel();
        model.setId("k");
        return new CimdClientStorageProvider(session,
            new ClientStorageProviderModel(model));
    }

    private KeycloakSession session(String path,
        MultivaluedMap<String, String> form) {
        Map<String, Object> attributes = new HashMap<>();
        KeycloakSession[] self = {null};
        KeycloakSessionFactory factory = of(KeycloakSessionFactory.class,
            Map.of("getProviderFactory", a ->
                new CimdClientStorageProviderFactory(bridge),
                "create", a -> self[0])); // for events
        UriInfo uri = of(UriInfo.class, Map.of("getPath", a -> OIDC + path,
            "getQueryParameters", a -> new MultivaluedHashMap<>()));
        HttpRequest request = of(HttpRequest.class, Map.of(
            "getHttpMethod", a -> form == null ? "GET" : "POST",
            "getDecodedFormParameters", a -> form));
        KeycloakUriInfo[] where = {null};
        KeycloakContext context = of(KeycloakContext.class, Map.of(
            "getUri", a -> where[0], "getHttpRequest", a -> request,
            "getRealm", a -> realm));
        ClientProvider clients = of(ClientProvider.class, Map.of(
            "getClientByClientId", a -> registered.get(a[1])));
        KeycloakTransactionManager transactions =
            of(KeycloakTransactionManager.class, Map.of());
        RealmProvider realms = of(RealmProvider.class,
            Map.of("getRealm", a -> realm));
        self[0] = of(KeycloakSession.class, Map.of(
            "getTransactionManager", a -> transactions,
            "realms", a -> realms,
            "getKeycloakSessionFactory", a -> factory,
            "getContext", a -> context,
            "getAttribute", a -> attributes.get(a[0]),
            "setAttribute", a -> attributes.put((String) a[0], a[1]),
            "getProvider", a -> a[0] == HostnameProvider.class
                ? of(HostnameProvider.class, Map.of())
                : a[0] == ClientProvider.class ? clients : null));
        where[0] = new KeycloakUriInfo(self[0], UrlType.FRONTEND, uri);
        return self[0];
    }

    /** An interface of which only some methods say anything. */
    static <T> T of(Class<T> type,
        Map<String, Function<Object[], Object>> answers) {
        InvocationHandler handler = (self, method, args) -> {
            Function<Object[], Object> one = answers.get(method.getName());
            return one == null ? nothing(self, method, args)
                : one.apply(args);
        };
        return type.cast(Proxy.newProxyInstance(Fakes.class.getClassLoader(),
            new Class<?>[] {type}, handler));
    }

    private static Object nothing(Object self, Method method, Object[] args) {
        Class<?> type = method.getReturnType();
        if (method.getName().equals("equals")) {
            return self == args[0];
        }
        return type == boolean.class ? (Object) false
            : type == int.class ? (Object) 0
            : type == Stream.class ? Stream.empty()
            : type == String.class ? method.getName() : null;
    }

    /** What cimdd says about a client that may come in. */
    static String good(String... grants) {
        String all = grants.length == 0
            ? "\"authorization_code\",\"refresh_token\""
            : "\"" + String.join("\",\"", grants) + "\"";
        return "{\"client\":{\"client_id\":\"" + URL + "\","
            + "\"redirect_uris\":[\"https://a.example/cb\"],"
            + "\"grant_types\":[" + all + "]},\"decision\":{"
            + "\"trust\":\"trusted\",\"auth_methods\":[\"none\"],"
            + "\"redirect_uri_ok\":true,\"loopback_any_port\":true,"
            + "\"warnings\":[]}}";
    }

    /** A problem document of cimdd. */
    static String problem(String code, String kind) {
        return "{\"code\":\"" + code + "\",\"class\":\"" + kind
            + "\",\"error\":\"e\",\"detail\":\"d\"}";
    }
}
