using System.Reflection;
using System.Text.Json.Serialization;
using k8s.Models;
using YamlDotNet.RepresentationModel;

namespace MedMerge.Infra.Tests;

/// <summary>
/// What Kubernetes' schema requires and a manifest lacks; reading YAML does not ask for it. The client's types tell it of numbers
/// and flags, which can't be null where they are required. The rest is listed here, for what our manifests use.
/// </summary>
internal static class RequiredFields
{
    private static readonly Dictionary<Type, string[]> Listed = new()
    {
        [typeof(V1DeploymentSpec)] = ["selector", "template"],
        [typeof(V1PodSpec)] = ["containers"],
        [typeof(V1Container)] = ["name", "image"],
        [typeof(V1EnvVar)] = ["name"],
        [typeof(V1ObjectFieldSelector)] = ["fieldPath"],
        [typeof(V1SecretKeySelector)] = ["name", "key"],
        [typeof(V1ConfigMapEnvSource)] = ["name"],
        [typeof(V1SecretEnvSource)] = ["name"],
        [typeof(V1HTTPGetAction)] = ["port"],
        [typeof(V1TCPSocketAction)] = ["port"],
        [typeof(V1Volume)] = ["name"],
        [typeof(V1VolumeMount)] = ["name", "mountPath"],
        [typeof(V1SeccompProfile)] = ["type"],
        [typeof(V1TopologySpreadConstraint)] = ["topologyKey", "whenUnsatisfiable"],
        [typeof(V1NetworkPolicySpec)] = ["podSelector"],
        [typeof(V1IPBlock)] = ["cidr"],
        [typeof(V1LabelSelectorRequirement)] = ["key", "operator"],
    };

    /// <summary>The paths of fields that are missing.</summary>
    public static IEnumerable<string> Missing(YamlNode node, Type type, string path) => node switch
    {
        YamlMappingNode mapping when ValueOf(type) is { } value =>
            mapping.Children.SelectMany(entry => Missing(entry.Value, value, $"{path}.{entry.Key}")),
        YamlMappingNode mapping => InObject(mapping, type, path),
        YamlSequenceNode sequence when ItemOf(type) is { } item =>
            sequence.Children.SelectMany((child, at) => Missing(child, item, $"{path}[{at}]")),
        _ => [],
    };

    private static IEnumerable<string> InObject(YamlMappingNode mapping, Type type, string path)
    {
        foreach (var property in type.GetProperties())
        {
            if (property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name is not { } name) continue;
            if (mapping.Children.TryGetValue(new YamlScalarNode(name), out var child))
            {
                foreach (var missing in Missing(child, property.PropertyType, $"{path}.{name}")) yield return missing;
            }
            else if (IsRequired(type, property.PropertyType, name))
            {
                yield return $"{path}.{name}";
            }
        }
    }

    private static bool IsRequired(Type type, Type property, string name) =>
        (property.IsValueType && Nullable.GetUnderlyingType(property) is null)
        || (Listed.TryGetValue(type, out var listed) && listed.Contains(name));

    private static Type? ItemOf(Type type) => type.IsGenericType && type.GetGenericArguments() is [var item] ? item : null;

    private static Type? ValueOf(Type type) => type.IsGenericType && type.GetGenericArguments() is [_, var value] ? value : null;
}
