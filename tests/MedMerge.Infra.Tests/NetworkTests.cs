using k8s.Models;

namespace MedMerge.Infra.Tests;

/// <summary>Who may talk to whom, over every pair of pods and every port.</summary>
public sealed class NetworkTests
{
    private const string Namespace = "kubernetes.io/metadata.name";

    /// <summary>All there is to be between our pods.</summary>
    private static readonly string[] Needed =
    [
        "silo -> silo 11111",
        "gateway -> silo 30000",
        "silo -> otel-collector 4317",
        "silo -> otel-collector 4318",
        "gateway -> otel-collector 4317",
        "gateway -> otel-collector 4318",
    ];

    private static IEnumerable<V1NetworkPolicySpec> Policies => Manifest.Of<V1NetworkPolicy>().Select(policy => policy.Spec);

    [Fact]
    public void Everything_is_denied_but_what_is_needed()
    {
        var all = Assert.Single(
            Policies,
            policy => policy.PodSelector.MatchLabels is null && policy.Ingress is null && policy.Egress is null);
        Assert.Equal(["Ingress", "Egress"], all.PolicyTypes);

        var allowed = from source in Workload.All
                      from target in Workload.All
                      from port in target.Ports.Select(port => port.ContainerPort)
                      where MaySend(source, target, port) && Receives(target, source, port)
                      select $"{Role(source)} -> {Role(target)} {port}";
        // Telemetry goes out by gRPC; the collector would take HTTP as well.
        var expected = Needed.Where(connection => !connection.EndsWith("4318", StringComparison.Ordinal));
        Assert.Equal(expected.Order(StringComparer.Ordinal), allowed.Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Who_receives_is_no_wider_than_what_is_needed()
    {
        var received = from source in Workload.All
                       from target in Workload.All
                       from port in target.Ports.Select(port => port.ContainerPort)
                       where Receives(target, source, port)
                       select $"{Role(source)} -> {Role(target)} {port}";
        Assert.Equal(Needed.Order(StringComparer.Ordinal), received.Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Other_namespaces_reach_the_api_and_the_metrics_only()
    {
        var outside = from workload in Workload.All
                      from rule in Rules(workload, policy => policy.Ingress)
                      from peer in rule.FromProperty
                      where peer.NamespaceSelector is not null
                      from port in rule.Ports
                      select $"{peer.NamespaceSelector.MatchLabels[Namespace]} -> {Role(workload)} {workload.Port(port.Port)}";
        Assert.Equal(["ingress-nginx -> gateway 8080", "monitoring -> otel-collector 8889"], outside.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Ours_find_names_and_the_storage_account_and_not_the_machines_identity()
    {
        foreach (var workload in Workload.Ours)
        {
            var rules = Rules(workload, policy => policy.Egress).ToList();
            Assert.Contains(rules, rule => rule.To.Any(peer => peer.NamespaceSelector?.MatchLabels[Namespace] == "kube-system")
                                           && rule.Ports.Any(port => port is { Port.Value: "53", Protocol: "UDP" }));
            var outside = Assert.Single(rules, rule => rule.To.Any(peer => peer.IpBlock?.Cidr == "0.0.0.0/0"));
            Assert.Equal("443", Assert.Single(outside.Ports).Port.Value);
            Assert.Equal(["169.254.0.0/16"], Assert.Single(outside.To).IpBlock.Except);
        }
    }

    private static bool MaySend(Workload source, Workload target, int port) =>
        Rules(source, policy => policy.Egress)
            .Any(rule => rule.To.Any(peer => Is(peer, target)) && rule.Ports.Any(known => known.Port.Value == $"{port}"));

    private static bool Receives(Workload target, Workload source, int port) =>
        Rules(target, policy => policy.Ingress)
            .Any(rule => rule.FromProperty.Any(peer => Is(peer, source)) && rule.Ports.Any(known => known.Port.Value == $"{port}"));

    /// <summary>A peer by pods alone is one of the same namespace.</summary>
    private static bool Is(V1NetworkPolicyPeer peer, Workload workload) =>
        peer is { PodSelector: not null, NamespaceSelector: null } && workload.IsIn(peer.PodSelector);

    private static IEnumerable<T> Rules<T>(Workload workload, Func<V1NetworkPolicySpec, IList<T>?> direction) =>
        Policies.Where(policy => workload.IsIn(policy.PodSelector)).SelectMany(policy => direction(policy) ?? []);

    private static string Role(Workload workload) => workload.Template.Metadata.Labels["app.kubernetes.io/name"];
}
