using System.Text.RegularExpressions;
using k8s.Models;
using MedMerge.Testing;
using YamlDotNet.Core;

namespace MedMerge.Infra.Tests;

/// <summary>Every manifest is what Kubernetes' schema allows, and kustomize is told of each.</summary>
public sealed partial class SchemaTests
{
    private const string Good = """
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: x
        spec:
          replicas: 1
          selector: { matchLabels: { a: b } }
          template:
            metadata: { labels: { a: b } }
            spec:
              containers:
                - name: x
                  image: x
                  ports: [{ name: http, containerPort: 80 }]
                  resources: { limits: { memory: 1Gi } }
        """;

    [Fact]
    public void Manifests_know_no_field_that_Kubernetes_does_not_know()
    {
        Assert.NotEmpty(Manifest.Of<V1Deployment>());
        Assert.NotEmpty(Manifest.Of<V1NetworkPolicy>());
        Assert.NotEmpty(Manifest.Of<V1PodDisruptionBudget>());
    }

    [Fact]
    public void Manifests_have_every_field_that_Kubernetes_requires() =>
        Assert.Empty(Manifest.All.SelectMany(manifest =>
            RequiredFields.Missing(manifest.Yaml, manifest.Object.GetType(), $"{manifest.File} {manifest.Name}")));

    [Theory]
    [InlineData("replicas: 1", "replica: 1")]
    [InlineData("replicas: 1", "replicas: many")]
    [InlineData("replicas: 1", "replicas: 1\n  replicas: 2")]
    [InlineData("image: x", "imagee: x")]
    [InlineData("containerPort: 80", "containerPort: eighty")]
    [InlineData("memory: 1Gi", "memory: 1Gigabyte")]
    [InlineData("kind: Deployment", "kind: Deploymint")]
    [InlineData("apiVersion: apps/v1", "apiVersion: apps/v2")]
    public void What_Kubernetes_does_not_know_is_found(string right, string wrong)
    {
        Assert.Single(Manifest.Read("good", Good));
        var error = Record.Exception(() => Manifest.Read("broken", Good.Replace(right, wrong, StringComparison.Ordinal)));
        Assert.True(error is YamlException or KeyNotFoundException or FormatException, $"{error}");
    }

    [Theory]
    [InlineData("  selector: { matchLabels: { a: b } }\n", "x.spec.selector")]
    [InlineData(", containerPort: 80", "x.spec.template.spec.containers[0].ports[0].containerPort")]
    [InlineData("          image: x\n", "x.spec.template.spec.containers[0].image")]
    public void What_is_missing_is_found(string part, string path)
    {
        var broken = Assert.Single(Manifest.Read("broken", Good.Replace(part, "", StringComparison.Ordinal)));
        Assert.Equal(path, Assert.Single(RequiredFields.Missing(broken.Yaml, typeof(V1Deployment), "x")));
    }

    [Fact]
    public void Names_are_what_Kubernetes_allows_and_there_once()
    {
        Assert.All(Manifest.All, manifest => Assert.Matches(Name(), manifest.Name));
        Assert.All(Workload.All.SelectMany(workload => workload.Ports), port => Assert.Matches(PortName(), port.Name));
        Assert.Empty(Manifest.All
            .GroupBy(manifest => (manifest.Object.Kind, manifest.Name))
            .Where(group => group.Count() > 1)
            .Select(group => group.Key));
    }

    [Fact]
    public void Kustomize_is_told_of_every_file_but_the_placeholders()
    {
        var kustomization = Kustomization.Read(Manifest.Folder);
        Assert.Equal(Manifest.Files.Where(file => file != Manifest.SecretTemplate),
            kustomization.Resources.Where(file => !file.StartsWith("../", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        var variables = Directory.GetFiles(Repository.PathTo(Manifest.Folder), "*.env").Select(file => Path.GetFileName(file));
        Assert.Equal(variables.Order(StringComparer.Ordinal),
            kustomization.ConfigMapGenerator.SelectMany(map => map.Envs).Order(StringComparer.Ordinal));

        var other = Assert.Single(kustomization.Resources, resource => resource.StartsWith("../", StringComparison.Ordinal));
        var telemetry = Kustomization.Read($"infra/{other[3..]}");
        var files = Directory.GetFiles(Repository.PathTo($"infra/{other[3..]}")).Select(file => Path.GetFileName(file));
        Assert.Equal(files.Where(file => file != Manifest.Kustomization).Order(StringComparer.Ordinal),
            telemetry.ConfigMapGenerator.SelectMany(map => map.Files).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Kustomize_puts_everything_into_the_one_namespace_and_names_our_images()
    {
        var kustomization = Kustomization.Read(Manifest.Folder);
        Assert.Equal(Assert.Single(Manifest.Of<V1Namespace>()).Metadata.Name, kustomization.Namespace);
        var secrets = Manifest.All.Where(manifest => manifest.File == Manifest.SecretTemplate);
        Assert.All(secrets, secret => Assert.Equal(kustomization.Namespace, secret.Object.Metadata.NamespaceProperty));
        Assert.Equal(Workload.Ours.Select(workload => workload.Container.Image).Order(StringComparer.Ordinal),
            kustomization.Images.Select(image => image.Name).Order(StringComparer.Ordinal));
    }

    [GeneratedRegex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
    private static partial Regex Name();

    [GeneratedRegex("^(?=.*[a-z])[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$")]
    private static partial Regex PortName();
}
