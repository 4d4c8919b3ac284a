using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using k8s.Models;
using MedMerge.Silo;
using MedMerge.Testing;
using Orleans.Configuration;

namespace MedMerge.Infra.Tests;

/// <summary>Manifests and code mean the same: variables, ports, paths, times.</summary>
public sealed partial class CodeTests
{
    /// <summary>What is not ours to document: of telemetry, of ASP.NET Core, of .NET, and the pod's name for the resource.</summary>
    private static readonly string[] Foreign = ["OTEL_", "ASPNETCORE_", "DOTNET_", "POD_NAME"];

    public static TheoryData<string> Silos => [.. Workload.Silos.Select(workload => workload.Name)];

    [Fact]
    public void Every_variable_is_documented()
    {
        var documented = Variable().Matches(Repository.Read("docs/operations.md"))
            .Select(match => match.Value)
            .ToHashSet(StringComparer.Ordinal);
        var used = Workload.All
            .SelectMany(workload => workload.Variables.Keys)
            .Distinct()
            .Where(name => !Foreign.Any(start => name.StartsWith(start, StringComparison.Ordinal)));
        Assert.Empty(used.Except(documented));
    }

    [Fact]
    public void Nodes_and_gateway_agree_on_where_they_meet()
    {
        string[] shared = ["Orleans__ClusterId", "Orleans__ServiceId", "ConnectionStrings__blobs", "Tls__Folder"];
        foreach (var name in shared)
            Assert.Single(Workload.Ours.Select(workload => workload.Variables[name]).Distinct());
    }

    [Fact]
    public void Nodes_and_gateway_show_certificates_from_one_secret_that_has_what_the_code_reads()
    {
        var secrets = Workload.Ours.Select(workload =>
        {
            var mount = workload.Container.VolumeMounts.Single(mount => mount.MountPath == workload.Variables["Tls__Folder"]);
            return workload.Template.Spec.Volumes.Single(volume => volume.Name == mount.Name).Secret.SecretName;
        });
        var name = Assert.Single(secrets.Distinct());
        var files = Manifest.Of<V1Secret>().Single(secret => secret.Metadata.Name == name).StringData.Keys;
        var code = Repository.Code("MedMerge.Clustering");
        Assert.All(files, file => Assert.Contains($"\"{file}\"", code, StringComparison.Ordinal));
    }

    [Fact]
    public void Telemetry_goes_to_the_collector_under_the_pods_name()
    {
        var collector = Manifest.Of<V1Service>().Single(service => service.Metadata.Name == "otel-collector");
        var port = collector.Spec.Ports.Single(port => port.Name == "otlp-grpc").Port;
        Assert.All(Workload.Ours, workload =>
        {
            Assert.Equal($"http://{collector.Metadata.Name}:{port}", workload.Variables["OTEL_EXPORTER_OTLP_ENDPOINT"]);
            Assert.Equal("service.instance.id=$(POD_NAME)", workload.Variables["OTEL_RESOURCE_ATTRIBUTES"]);
            var names = workload.Container.Env.Select(variable => variable.Name).ToList();
            Assert.True(names.IndexOf("POD_NAME") < names.IndexOf("OTEL_RESOURCE_ATTRIBUTES"), "$(NAME) finds only what stands before it.");
        });
    }

    [Theory]
    [MemberData(nameof(Silos))]
    public void A_node_is_reached_where_Orleans_listens_and_called_as_its_pod(string name)
    {
        var silo = Workload.Silos.Single(workload => workload.Name == name);
        var defaults = new EndpointOptions();
        Assert.Equal(defaults.SiloPort, silo.Port("silo"));
        Assert.Equal(defaults.GatewayPort, silo.Port("gateway"));
        Assert.Equal("$(POD_NAME)", silo.Variables["Orleans__Name"]);
        var address = silo.Container.Env.Single(variable => variable.Name == "Orleans__Endpoints__AdvertisedIPAddress");
        Assert.Equal("status.podIP", address.ValueFrom.FieldRef.FieldPath);
    }

    [Theory]
    [MemberData(nameof(Silos))]
    public void A_node_has_the_device_that_it_tells_of(string name)
    {
        var silo = Workload.Silos.Single(workload => workload.Name == name);
        var kind = silo.Variables["Orleans__Metadata__device"]!;
        Assert.Equal($"silo-{kind}", silo.Name);
        Assert.Equal($"medmerge-silo-{kind}", silo.Container.Image);
        Assert.Equal(kind == "cpu" ? "cpu" : $"{kind}:0", silo.Variables["Node__Device"]);
        var hasGpu = silo.Container.Resources.Limits.TryGetValue("nvidia.com/gpu", out var gpus);
        Assert.Equal(kind == "cuda", hasGpu);
        if (!hasGpu) return;
        Assert.Equal("1", gpus!.ToString());
        Assert.Contains(silo.Template.Spec.NodeSelector.Keys, key => key.StartsWith("nvidia.com/", StringComparison.Ordinal));
        Assert.Contains(silo.Template.Spec.Tolerations, toleration => toleration is { Key: "nvidia.com/gpu", Effect: "NoSchedule" });
    }

    [Theory]
    [MemberData(nameof(Silos))]
    public void A_nodes_cache_fits_its_volume(string name)
    {
        var silo = Workload.Silos.Single(workload => workload.Name == name);
        var volume = silo.Container.VolumeMounts.Single(mount => mount.MountPath == silo.Variables["Node__CacheFolder"]).Name;
        var limit = silo.Template.Spec.Volumes.Single(known => known.Name == volume).EmptyDir.SizeLimit.ToDecimal();
        var cache = decimal.Parse(silo.Variables["Node__CacheMiB"]!, CultureInfo.InvariantCulture) * 1024 * 1024;
        Assert.True(cache * 1.1m < limit, "Writes at the same time may pass the cache's limit a little.");
        var disk = silo.Template.Spec.Volumes.Where(known => known.EmptyDir is not null).Sum(known => known.EmptyDir.SizeLimit.ToDecimal());
        Assert.True(disk <= silo.Container.Resources.Requests["ephemeral-storage"].ToDecimal());
    }

    [Fact]
    public void Probes_ask_what_the_code_answers_where_it_listens()
    {
        foreach (var workload in Workload.Ours)
        {
            var code = Repository.Code(workload.Name == "gateway" ? "MedMerge.Gateway" : "MedMerge.Silo", "MedMerge.ServiceDefaults");
            var container = workload.Container;
            (V1Probe Probe, string Path)[] probes =
            [
                (container.StartupProbe, "/health/live"),
                (container.LivenessProbe, "/health/live"),
                (container.ReadinessProbe, "/health/ready"),
            ];
            foreach (var (probe, path) in probes)
            {
                Assert.Equal(path, probe.HttpGet.Path);
                Assert.Contains($"\"{path}\"", code, StringComparison.Ordinal);
                Assert.Equal(new Uri(workload.Variables["ASPNETCORE_URLS"]!).Port, workload.Port(probe.HttpGet.Port));
            }
        }
    }

    [Fact]
    public void Pods_are_given_the_time_that_they_need_to_leave()
    {
        var field = typeof(SiloApplication).GetField("ShutdownTimeout", BindingFlags.NonPublic | BindingFlags.Static)!;
        var needed = ((TimeSpan)field.GetValue(null)!).TotalSeconds + 10;
        Assert.All(Workload.Silos, silo => Assert.True(silo.Template.Spec.TerminationGracePeriodSeconds >= needed, silo.Name));
        var gateway = Workload.Gateway;
        var host = new Microsoft.Extensions.Hosting.HostOptions().ShutdownTimeout;
        var pause = gateway.Container.Lifecycle.PreStop.Sleep.Seconds;
        Assert.True(gateway.Template.Spec.TerminationGracePeriodSeconds >= host.TotalSeconds + pause + 5);
    }

    [Fact]
    public void The_gateway_asks_for_keys_and_holds_no_more_uploads_than_fit()
    {
        var gateway = Workload.Gateway;
        Assert.Contains(gateway.Variables.Keys, name => name.StartsWith("Authentication__ApiKeys__", StringComparison.Ordinal));
        var uploads = UploadLimit().Match(Repository.Read("src/MedMerge.Gateway/RequestLimits.cs")).Groups[1].Value;
        var atOnce = int.Parse(uploads, CultureInfo.InvariantCulture);
        var file = decimal.Parse(gateway.Variables["Limits__FileMiB"]!, CultureInfo.InvariantCulture) * 1024 * 1024;
        var memory = gateway.Container.Resources.Limits["memory"].ToDecimal();
        Assert.True(atOnce * file <= memory * 0.6m, "With a limit .NET takes three quarters of it for objects.");
    }

    /// <summary>Variables as documentation writes them: with two underscores, or all in capitals with one.</summary>
    [GeneratedRegex(@"\b\w+__\w+\b|\b[A-Z]+_[A-Z_]+\b")]
    private static partial Regex Variable();

    [GeneratedRegex(@"GatewayLimits\.Uploads\] = new\(OfClient: \d+, OfAll: (\d+)\)")]
    private static partial Regex UploadLimit();
}
