using System.Text.RegularExpressions;
using MedMerge.Testing;

namespace MedMerge.Cluster.Tests;

/// <summary>Every process starts with the variables that an app host injects, and nothing else.</summary>
public sealed partial class VariablesTests(AzuriteServer azurite)
{
    /// <summary>What a .NET process needs of its surroundings to run at all.</summary>
    private static readonly string[] Surroundings = ["PATH", "HOME", "DOTNET_ROOT", "TMPDIR", "LANG"];

    [Fact]
    public async Task Silo_and_gateway_start_with_the_variables_of_the_table_alone()
    {
        azurite.SkipWhereMissing();
        var id = "variables-" + Guid.NewGuid().ToString("N")[..12];
        var table = Table();
        var shared = new Dictionary<string, string>
        {
            ["Orleans__Clustering__ProviderType"] = "AzureTableStorage",
            ["Orleans__Clustering__ServiceKey"] = "blobs",
            ["Orleans__ClusterId"] = id,
            ["Orleans__ServiceId"] = id,
            ["Orleans__EnableDistributedTracing"] = "true",
            ["ConnectionStrings__blobs"] = AzuriteServer.ConnectionString(azurite.Address, azurite.Tables),
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:9", // nobody there: that must not matter
        };
        var silo = new Dictionary<string, string>(shared)
        {
            ["Orleans__Endpoints__SiloPort"] = $"{FreePorts.Take()}",
            ["Orleans__Endpoints__GatewayPort"] = $"{FreePorts.Take()}",
        };

        await using var node = ServiceProcess.Alone("MedMerge.Silo", "silo", silo, Surroundings);
        await node.ReadyAsync();
        await using var gateway = ServiceProcess.Alone("MedMerge.Gateway", "gateway", shared, Surroundings);
        await gateway.ReadyAsync();

        var set = silo.Keys.Concat(["ASPNETCORE_URLS", "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"]);
        Assert.Equal(table.Order(StringComparer.Ordinal), set.Order(StringComparer.Ordinal));
    }

    /// <summary>The variables that docs/operations.md tells of, under "What an app host sets".</summary>
    private static HashSet<string> Table()
    {
        var text = Repository.Read("docs/operations.md");
        var section = text[text.IndexOf("## What an app host sets", StringComparison.Ordinal)..];
        var rows = section[..section.IndexOf("\n## ", 5, StringComparison.Ordinal)].Split('\n')
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .Select(line => line.Split('|')[1]);
        return [.. rows.SelectMany(row => Variable().Matches(row).Select(match => match.Groups[1].Value))];
    }

    [GeneratedRegex("`([A-Za-z][A-Za-z0-9_]*)`")]
    private static partial Regex Variable();
}
