using MedMerge.Testing;
using YamlDotNet.RepresentationModel;

namespace MedMerge.Infra.Tests;

/// <summary>The collector's configuration is whole, and its ports are its pod's.</summary>
public sealed class CollectorTests
{
    private static readonly string[] Kinds = ["receivers", "processors", "exporters"];

    private static YamlMappingNode Configuration
    {
        get
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(Repository.Read("infra/telemetry/collector.yaml")));
            return (YamlMappingNode)stream.Documents.Single().RootNode;
        }
    }

    private static YamlMappingNode Pipelines => At(Configuration, "service", "pipelines");

    [Fact]
    public void Pipelines_use_what_is_defined_and_all_of_it()
    {
        foreach (var kind in Kinds)
        {
            var used = Pipelines.Children.Values.SelectMany(pipeline => Names(((YamlMappingNode)pipeline)[kind])).Distinct();
            Assert.Equal(Keys(At(Configuration, kind)), used.Order(StringComparer.Ordinal));
        }
        Assert.Equal(Keys(At(Configuration, "extensions")), Names(At(Configuration, "service")["extensions"]));
        Assert.Equal([.. Kinds.Append("extensions").Append("service").Order(StringComparer.Ordinal)], Keys(Configuration));
    }

    [Fact]
    public void All_three_kinds_of_telemetry_pass_the_memory_limit_first()
    {
        Assert.Equal(["logs", "metrics", "traces"], Keys(Pipelines));
        Assert.All(Pipelines.Children.Values, pipeline => Assert.Equal(["memory_limiter", "batch"], Names(pipeline["processors"])));
    }

    [Fact]
    public void Names_of_metrics_are_made_as_the_dashboard_expects() =>
        Assert.Equal("UnderscoreEscapingWithSuffixes", $"{At(Configuration, "exporters", "prometheus")["translation_strategy"]}");

    [Fact]
    public void It_listens_on_its_pods_ports_and_reads_its_map()
    {
        var pod = Workload.All.Single(workload => workload.Name == "otel-collector");
        string[] listened =
        [
            $"{At(Configuration, "receivers", "otlp", "protocols", "grpc")["endpoint"]} otlp-grpc",
            $"{At(Configuration, "receivers", "otlp", "protocols", "http")["endpoint"]} otlp-http",
            $"{At(Configuration, "exporters", "prometheus")["endpoint"]} metrics",
            $"{At(Configuration, "extensions", "health_check")["endpoint"]} health",
        ];
        var ports = pod.Ports.Select(port => $"0.0.0.0:{port.ContainerPort} {port.Name}");
        Assert.Equal(ports.Order(StringComparer.Ordinal), listened.Order(StringComparer.Ordinal));
        Assert.Equal($"{pod.Port("metrics")}", pod.Template.Metadata.Annotations["prometheus.io/port"]);
        var folder = pod.Container.VolumeMounts.Single().MountPath;
        Assert.Equal([$"--config={folder}/collector.yaml"], pod.Container.Args);
    }

    private static YamlMappingNode At(YamlNode node, params string[] path) =>
        (YamlMappingNode)path.Aggregate(node, (inner, name) => inner[name]);

    private static string[] Keys(YamlMappingNode node) => [.. node.Children.Keys.Select(key => $"{key}").Order(StringComparer.Ordinal)];

    private static string[] Names(YamlNode node) => [.. ((YamlSequenceNode)node).Select(name => $"{name}")];
}
