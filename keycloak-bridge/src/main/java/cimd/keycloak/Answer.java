// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

/**
 * What is known about a client now: a record, or the problem with it.
 *
 * @param client null if there is a problem
 * @param problem null if there is none
 */
record Answer(ClientRecord client, Problem problem) {
    static Answer of(ClientRecord client) {
        return new Answer(client, null);
    }

    static Answer of(Problem problem) {
        return new Answer(null, problem);
    }

    boolean good() {
        return client != null;
    }

    boolean is(Problem.Kind kind) {
        return problem != null && problem.kind() == kind;
    }
}
