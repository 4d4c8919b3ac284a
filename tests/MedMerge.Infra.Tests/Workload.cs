using k8s.Models;
using MedMerge.Testing;

namespace MedMerge.Infra.Tests;

/// <summary>Pods that run: those of a deployment.</summary>
internal sealed record Workload(string Name, V1LabelSelector Selector, V1PodTemplateSpec Template, int Replicas)
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<Workload> All { get; } =
    [
        .. Manifest.Of<V1Deployment>().Select(found =>
            new Workload(found.Metadata.Name, found.Spec.Selector, found.Spec.Template, found.Spec.Replicas ?? 1)),
    ];

    /// <summary>Those whose images are ours.</summary>
    public static IEnumerable<Workload> Ours =>
        All.Where(workload => workload.Container.Image.StartsWith("medmerge-", StringComparison.Ordinal));

    public static IEnumerable<Workload> Silos => Ours.Where(workload => workload.Name.StartsWith("silo-", StringComparison.Ordinal));

    public static Workload Gateway => All.Single(workload => workload.Name == "gateway");

    public V1Container Container => Template.Spec.Containers.Single();

    public IEnumerable<V1ContainerPort> Ports => Container.Ports ?? [];

    public bool IsIn(V1LabelSelector selector) => Selectors.Match(selector, Template.Metadata.Labels);

    /// <summary>The number of a port, by name or as it is.</summary>
    public int? Port(IntOrString port) =>
        Ports.FirstOrDefault(own => own.Name == port.Value || $"{own.ContainerPort}" == port.Value)?.ContainerPort;

    /// <summary>Every variable with what it is set to; null where a field of the pod says it.</summary>
    public IReadOnlyDictionary<string, string?> Variables => EnvironmentOf(Container);

    private static Dictionary<string, string?> EnvironmentOf(V1Container container)
    {
        var variables = new Dictionary<string, string?>();
        foreach (var source in container.EnvFrom ?? [])
        {
            var known = source.ConfigMapRef is { } map ? ConfigMap(map.Name) : Secret(source.SecretRef.Name);
            foreach (var (name, value) in known) variables[name] = value;
        }
        foreach (var variable in container.Env ?? []) variables[variable.Name] = variable.Value;
        return variables;
    }

    private static IEnumerable<KeyValuePair<string, string?>> ConfigMap(string name) =>
        Kustomization.Read(Manifest.Folder).ConfigMapGenerator.Single(map => map.Name == name).Envs
            .SelectMany(file => Repository.Read($"{Manifest.Folder}/{file}").Split('\n'))
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => line.Split('=', 2))
            .Select(parts => KeyValuePair.Create(parts[0], (string?)parts[1]));

    private static IEnumerable<KeyValuePair<string, string?>> Secret(string name) =>
        Manifest.Of<V1Secret>().Single(secret => secret.Metadata.Name == name).StringData
            .Select(entry => KeyValuePair.Create(entry.Key, (string?)entry.Value));
}
