using System.Text.RegularExpressions;
using MedMerge.Testing;

namespace MedMerge.Gateway.Tests;

/// <summary><c>examples/python/sweep.py</c> against a gateway, as a user runs it.</summary>
[Collection(CommandTests.Variables)]
public sealed partial class PythonExampleTests : IClassFixture<RunningGateway>, IDisposable
{
    private readonly RunningGateway _gateway;

    public PythonExampleTests(RunningGateway gateway)
    {
        _gateway = gateway;
        Environment.SetEnvironmentVariable("MEDMERGE_GATEWAY", gateway.Address.ToString());
        Environment.SetEnvironmentVariable("MEDMERGE_API_KEY", RunningGateway.Key);
    }

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("MEDMERGE_GATEWAY", null);
        Environment.SetEnvironmentVariable("MEDMERGE_API_KEY", null);
    }

    [Fact]
    public void The_example_uploads_submits_waits_and_prints_a_row_for_each_method()
    {
        NpzFile.Write(_gateway.Folder, train: 16);
        var yaml = new SpecificationBuilder { Methods = "[average, scratch]", Seeds = 2 }.Yaml;
        var (code, text) = Run(yaml.Replace("'phantom:lesions', trainImages: 24", "set.npz, trainImages: 12", StringComparison.Ordinal));
        Assert.True(code == 0, text);
        var rows = Rows().Matches(text).Select(row => (row.Groups["method"].Value, row.Groups["count"].Value));
        Assert.Equal([("average", "2"), ("scratch", "2")], rows);
    }

    [Fact]
    public void What_the_gateway_refuses_is_printed()
    {
        NpzFile.Write(_gateway.Folder);
        var (code, text) = Run("name: nothing");
        Assert.Equal(1, code);
        Assert.Contains("400", text, StringComparison.Ordinal);
        Assert.Contains("target", text, StringComparison.Ordinal);
    }

    private (int Code, string Text) Run(string yaml)
    {
        if (!Python.Has("pandas, requests")) Assert.Skip("python3-pandas or python3-requests of Debian is missing.");
        var file = Path.Combine(_gateway.Folder, "python.yaml");
        File.WriteAllText(file, yaml);
        return Python.Run(Repository.PathTo("examples/python/sweep.py"), file, "set.npz");
    }

    /// <summary>Method, mean, standard deviation and count, as pandas prints them.</summary>
    [GeneratedRegex(@"^(?<method>[a-z-]+) +[\d.]+ +[\d.]+ +(?<count>\d+)$", RegexOptions.Multiline)]
    private static partial Regex Rows();
}
