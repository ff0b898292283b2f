// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jboss.logging.Logger;

/**
 * What one realm's client policies say about the bridge.
 *
 * <p>The bridge is on where an enabled policy has a profile with our
 * executor. Of several such policies the first one whose conditions of ours
 * match a client is the one that counts for it, so that two policies cannot
 * contradict each other. Read from the realm's attributes, because the API in
 * front of them differs between releases, and a lookup outside of a policy
 * event has no other way.
 */
final class RealmSwitch {
    static final String PROFILES = "client-policies.profiles";
    static final String POLICIES = "client-policies.policies";
    static final String EXECUTOR = "cimd";
    static final String CONDITION = "cimd-client-id";
    static final String NATIVE_EXECUTOR = "client-id-metadata-document";

    private static final Logger LOG = Logger.getLogger("cimd.keycloak");
    private static final ObjectMapper JSON = new ObjectMapper();

    /** One policy with our executor. */
    private record Part(List<ClientMatch> conditions, Settings settings) {
        boolean matches(String clientId) {
            return conditions.stream().allMatch(c -> c.test(clientId));
        }
    }

    private final String profiles;
    private final String policies;
    private final List<Part> parts = new ArrayList<>();
    private boolean nativeToo;

    RealmSwitch(String profiles, String policies) {
        this.profiles = profiles;
        this.policies = policies;
        Map<String, JsonNode> byName = new HashMap<>();
        for (JsonNode one : parse(profiles).path("profiles")) {
            byName.put(one.path("name").asText(), one);
        }
        for (JsonNode one : parse(policies).path("policies")) {
            // One without conditions is for nobody, as in Keycloak.
            if (one.path("enabled").asBoolean(false)
                && !one.path("conditions").isEmpty()) {
                add(one, byName);
            }
        }
    }

    /** Is this what these two attributes say? */
    boolean isOf(String someProfiles, String somePolicies) {
        return Objects.equals(profiles, someProfiles)
            && Objects.equals(policies, somePolicies);
    }

    boolean on() {
        return !parts.isEmpty();
    }

    /** Does an enabled policy use Keycloak's own executor for CIMD? */
    boolean nativeToo() {
        return nativeToo;
    }

    /** The settings for a client; empty if no policy is about it. */
    Optional<Settings> settings(String clientId) {
        return parts.stream().filter(p -> p.matches(clientId)).findFirst()
            .map(Part::settings);
    }

    private void add(JsonNode policy, Map<String, JsonNode> profilesByName) {
        for (JsonNode name : policy.path("profiles")) {
            JsonNode profile = profilesByName.getOrDefault(name.asText(),
                MissingNode.getInstance());
            for (JsonNode one : profile.path("executors")) {
                String executor = one.path("executor").asText();
                nativeToo |= executor.equals(NATIVE_EXECUTOR);
                if (executor.equals(EXECUTOR)) {
                    parts.add(new Part(conditions(policy),
                        Settings.of(one.path("configuration"))));
                }
            }
        }
    }

    private static List<ClientMatch> conditions(JsonNode policy) {
        List<ClientMatch> all = new ArrayList<>();
        for (JsonNode one : policy.path("conditions")) {
            if (one.path("condition").asText().equals(CONDITION)) {
                all.add(ClientMatch.of(one.path("configuration")));
            }
        }
        return all;
    }

    private static JsonNode parse(String text) {
        try {
            JsonNode found = text == null ? null : JSON.readTree(text);
            return found == null ? MissingNode.getInstance() : found;
        } catch (JsonProcessingException e) {
            LOG.warn("the client policies of a realm are not JSON");
            return MissingNode.getInstance();
        }
    }
}
