using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json;
using MedMerge.Cli;
using MedMerge.Data;
using MedMerge.Storage;
using MedMerge.Testing;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace MedMerge.Gateway.Tests;

/// <summary>The command against a gateway, as a user runs it.</summary>
[Collection(Variables)]
public sealed class CommandTests : IClassFixture<RunningGateway>, IDisposable
{
    /// <summary>Test classes that set the command's variables run one after the other.</summary>
    internal const string Variables = "the command's variables";

    private readonly RunningGateway _gateway;

    public CommandTests(RunningGateway gateway)
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
    public async Task A_submitted_specification_gives_the_same_files_as_a_local_run()
    {
        File.WriteAllText(In("spec.yaml"), new SpecificationBuilder { Methods = "[medmerge, fine-tune]" }.Yaml);
        var (ran, local, localError) = await RunAsync("run", In("spec.yaml"), "--store", In("own"), "--output", In("run"), "--json");
        Assert.True(ran == ExitCodes.Done, localError);

        var (submitted, id, submitError) = await RunAsync("submit", In("spec.yaml"), "--watch");
        Assert.True(submitted == ExitCodes.Done, submitError);
        Assert.Contains("Done, 3 of 3 trials have a result.", submitError, StringComparison.Ordinal);

        var (_, report, _) = await RunAsync("report", id.Trim(), "--json");
        Assert.Equal(local, report);

        var (_, table, written) = await RunAsync("report", id.Trim(), "--output", In("report"));
        Assert.Contains("Results, models, kernel weights and certificates are in", written, StringComparison.Ordinal);
        var files = GetFiles("run");
        Assert.Contains(Path.Combine("medmerge", "seed-0", "model.safetensors"), files);
        Assert.Equal(files, GetFiles("report"));
        Assert.All(files, file => Assert.Equal(ReadBytes("run", file), ReadBytes("report", file)));
        Assert.Contains("| medmerge", table, StringComparison.Ordinal);

        var sweep = $"/api/v1/sweeps/{id.Trim()}";
        Assert.Equal(HttpStatusCode.NotFound, await GetStatusAsync($"{sweep}/models/medmerge/seed-0/..%2F..%2Fresults.json"));
        Assert.Equal(HttpStatusCode.BadRequest, await GetStatusAsync($"{sweep}/results?format=pdf"));
        Assert.Equal(HttpStatusCode.BadRequest, await GetStatusAsync($"{sweep}/results?format=parquet&scenario=tiny"));
        Assert.Equal(ReadBytes("run", "results.csv"), await GetBytesAsync($"{sweep}/results?format=csv&scenario=tiny"));
        Assert.Equal(ReadBytes("run", "trials.csv"), await GetBytesAsync($"{sweep}/results?format=csv"));
        Assert.Equal(ReadBytes("run", "report.html"), await GetBytesAsync($"{sweep}/results?format=html"));
        Assert.Equal(ReadBytes("run", "trials.parquet"), await GetBytesAsync($"{sweep}/results?format=parquet"));

        await AssertRunsNothingAsync($"{sweep}/models/medmerge/seed-0/model.safetensors", "attachment", "default-src 'self'");
        await AssertRunsNothingAsync($"{sweep}/results?format=csv", "attachment", "default-src 'self'");
        await AssertRunsNothingAsync($"{sweep}/results?format=html", null, "sandbox");

        var (_, list, _) = await RunAsync("list");
        Assert.Matches($@"{id.Trim()} +\| +tiny \| +Done \| +3/3", list);
        var (_, shown, _) = await RunAsync("show", id.Trim(), "--json");
        using var status = JsonDocument.Parse(shown);
        Assert.Equal("Done", status.RootElement.GetProperty("state").GetString());

        foreach (var change in new[] { "pause", "cancel", "resume" })
        {
            using var refused = await _gateway.Client.PostAsync($"{sweep}/{change}", null, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
            var detail = await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.Contains("is Done", detail, StringComparison.Ordinal);
        }

        // Submitting again gives the same sweep, which has ended.
        var (again, sameId, _) = await RunAsync("submit", In("spec.yaml"), "--watch");
        Assert.Equal((ExitCodes.Done, id), (again, sameId));
    }

    [Fact]
    public async Task A_sweep_of_several_scenarios_gives_the_same_files_as_a_local_run()
    {
        const string target = "target: { data: 'phantom:lesions', trainImages: 24 }";
        const string targets = """
            targets:
              - { name: x, data: 'phantom:lesions', trainImages: 24 }
              - { name: y, data: 'phantom:cells', trainImages: 24 }
            vary: { kernelWeights.anchorWeight: [0.6, 0.9] }
            """;
        var one = new SpecificationBuilder { Methods = "[medmerge, fine-tune]" }.Yaml;
        File.WriteAllText(In("one.yaml"), one);
        File.WriteAllText(In("several.yaml"), one.Replace(target, targets, StringComparison.Ordinal));

        // Where a run of one scenario has left its files, none of them remains.
        var (ranOne, _, oneError) = await RunAsync("run", In("one.yaml"), "--store", In("own"), "--output", In("sweep-run"));
        Assert.True(ranOne == ExitCodes.Done, oneError);
        Assert.Contains("results.csv", GetFiles("sweep-run"));
        var (ran, local, localError) = await RunAsync("run", In("several.yaml"), "--store", In("own"), "--output", In("sweep-run"));
        Assert.True(ran == ExitCodes.Done, localError);
        Assert.Contains("All 4 scenarios together", local, StringComparison.Ordinal);

        var (submitted, id, submitError) = await RunAsync("submit", In("several.yaml"), "--watch");
        Assert.True(submitted == ExitCodes.Done, submitError);
        var (reported, report, reportError) = await RunAsync("report", id.Trim(), "--output", In("sweep-report"));
        Assert.True(reported == ExitCodes.Done, reportError);
        Assert.Equal(local, report);
        var files = GetFiles("sweep-run");
        string[] together = ["report.html", "results.json", "results.md", "trials.csv", "trials.parquet"];
        Assert.Equal(together, files.Where(file => Path.GetDirectoryName(file) is ""));
        var model = Path.Combine("y, kernelWeights.anchorWeight=0.9", "medmerge", "seed-0", "model.safetensors");
        Assert.Contains(model, files);
        Assert.Equal(files, GetFiles("sweep-report"));
        Assert.All(files, file => Assert.Equal(ReadBytes("sweep-run", file), ReadBytes("sweep-report", file)));

        var (_, json, _) = await RunAsync("report", id.Trim(), "--json");
        Assert.Equal(File.ReadAllText(In("sweep-run/results.json")), json);
    }

    [Fact]
    public async Task Files_are_uploaded_once_and_named_by_their_content()
    {
        await PretrainAsync("cells.safetensors", seed: 0);
        const string pretrain = "pretrain: { data: 'phantom:vessels', trainImages: 24, epochs: 1 }";
        var specification = new SpecificationBuilder { Methods = "[average]" };
        var yaml = specification.Yaml.Replace(pretrain, "weights: cells.safetensors", StringComparison.Ordinal);
        File.WriteAllText(In("file.yaml"), yaml);

        var (first, id, firstError) = await RunAsync("submit", In("file.yaml"), "--watch");
        Assert.True(first == ExitCodes.Done, firstError);
        Assert.Contains("Uploading 'cells.safetensors'", firstError, StringComparison.Ordinal);
        var (second, _, secondError) = await RunAsync("submit", In("file.yaml"));
        Assert.True(second == ExitCodes.Done, secondError);
        Assert.DoesNotContain("Uploading", secondError, StringComparison.Ordinal);
        Assert.Contains("(cells.safetensors)", (await RunAsync("report", id.Trim())).Output, StringComparison.Ordinal);
    }

    /// <summary>Clients upload the file as it is; what the sweep needs from then on is the packed data set.</summary>
    [Fact]
    public async Task An_uploaded_data_set_is_packed_by_the_gateway()
    {
        var file = NpzFile.Write(_gateway.Folder, train: 16);
        var specification = new SpecificationBuilder { Methods = "[average]" };
        var yaml = specification.Yaml.Replace("'phantom:lesions', trainImages: 24", "set.npz, trainImages: 12", StringComparison.Ordinal);
        File.WriteAllText(In("npz.yaml"), yaml);

        var (code, id, error) = await RunAsync("submit", In("npz.yaml"), "--watch");
        Assert.True(code == ExitCodes.Done, error);
        Assert.Contains("Uploading 'set.npz'", error, StringComparison.Ordinal);

        var cancellation = TestContext.Current.CancellationToken;
        var store = new FolderObjectStore(In("store"));
        var inputs = (await new SweepStore(store).FindAsync(id.Trim(), cancellation))!.Value.Record.Inputs;
        Assert.DoesNotContain(ContentHash.Of(File.ReadAllBytes(file)), inputs);
        var artefacts = new ArtefactStore(store);
        var packed = await Task.WhenAll(inputs.Select(hash => artefacts.ReadAsync(hash, cancellation)));
        var data = packed.Select(content => PackedDataset.Read(content, "input")).Single(read => read.Name == "set");
        Assert.Equal(12, data.Train.Count);
        Assert.Equal(ContentHash.Of(File.ReadAllBytes(file)), data.Info.Provenance.Sha256);
    }

    /// <summary>A folder of images goes to a gateway as a zip archive.</summary>
    [Fact]
    public async Task An_uploaded_archive_of_images_is_packed_by_the_gateway()
    {
        using (var archive = ZipFile.Open(In("scans.zip"), ZipArchiveMode.Create))
        {
            var lines = new List<string> { "path,label,patient" };
            for (var i = 0; i < 40; i++)
            {
                using var image = new Image<L8>(12, 12);
                image[i % 12, i / 12] = new L8(250);
                using var entry = archive.CreateEntry($"{i}.png").Open();
                image.SaveAsPng(entry);
                lines.Add($"{i}.png,{i % 2},{i / 2}");
            }
            using var list = archive.CreateEntry("manifest.csv").Open();
            list.Write(Encoding.UTF8.GetBytes(string.Join('\n', lines)));
        }
        var specification = new SpecificationBuilder { Name = "scans", Methods = "[average]" };
        var yaml = specification.Yaml.Replace("'phantom:lesions', trainImages: 24", "scans.zip, size: 16", StringComparison.Ordinal);
        File.WriteAllText(In("zip.yaml"), yaml);

        var (code, _, error) = await RunAsync("submit", In("zip.yaml"), "--watch");

        Assert.True(code == ExitCodes.Done, error);
        Assert.Contains("Uploading 'scans.zip'", error, StringComparison.Ordinal);
        Assert.Contains("1 of 1 trials has a result", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sweep_is_paused_resumed_and_cancelled()
    {
        File.WriteAllText(In("long.yaml"), new SpecificationBuilder { Methods = "[medmerge]" }.WithEpochs(2000).Yaml);
        var (submitted, output, error) = await RunAsync("submit", In("long.yaml"));
        Assert.True(submitted == ExitCodes.Done, error);
        var id = output.Trim();
        Assert.Equal(ExitCodes.Failed, (await RunAsync("report", id)).Code); // no result yet
        Assert.Contains("Paused", (await RunAsync("pause", id)).Error, StringComparison.Ordinal);
        Assert.Contains("Running", (await RunAsync("resume", id)).Error, StringComparison.Ordinal);
        Assert.Contains("Cancelled", (await RunAsync("cancel", id)).Error, StringComparison.Ordinal);
        var (watched, _, watchError) = await RunAsync("watch", id);
        Assert.Equal(ExitCodes.Failed, watched);
        Assert.Contains("Cancelled", watchError, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Done, (await RunAsync("submit", In("long.yaml"))).Code);
        var shown = (await RunAsync("show", id)).Output;
        Assert.Contains("Running", shown, StringComparison.Ordinal);
        Assert.Matches(@"Submitted by tests\.\n[\d :-]+ tests: pause\n[\d :-]+ tests: resume\n[\d :-]+ tests: cancel\n", shown);
        await RunAsync("cancel", id);
    }

    [Fact]
    public async Task A_sweep_is_steered_while_it_runs_extended_and_removed()
    {
        var builder = new SpecificationBuilder { Name = "steered", Methods = "[scratch]", Seeds = 3, Parallel = 1 };
        File.WriteAllText(In("steered.yaml"), builder.WithEpochs(2000).Yaml);
        var id = (await RunAsync("submit", In("steered.yaml"))).Output.Trim();
        Assert.Contains("There is no trial 4; the sweep has 3.", (await RunAsync("skip", id, "4")).Error, StringComparison.Ordinal);
        Assert.Contains("1 cancelled", (await RunAsync("skip", id, "2")).Error, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Done, (await RunAsync("change", id, "--parallel", "2", "--priority", "3", "--max-trials", "2")).Code);
        var limits = await ShowAsync(id, "limits");
        Assert.Equal([2, 3, 2], new[] { "parallel", "priority", "trials" }.Select(limit => limits.GetProperty(limit).GetInt32()));
        Assert.Equal(ExitCodes.Failed, (await RunAsync("remove", id)).Code); // it runs
        Assert.DoesNotContain("cancelled", (await RunAsync("retry", id, "2")).Error, StringComparison.Ordinal);
        await RunAsync("cancel", id);
        Assert.Equal(ExitCodes.Done, (await RunAsync("remove", id)).Code);
        Assert.Equal(ExitCodes.BadInput, (await RunAsync("show", id)).Code);
        Assert.DoesNotContain(id, (await RunAsync("list")).Output, StringComparison.Ordinal);

        var small = builder with { Name = "extended", Seeds = 1, Parallel = null };
        File.WriteAllText(In("small.yaml"), small.Yaml);
        File.WriteAllText(In("large.yaml"), (small with { Seeds = 2 }).Yaml);
        File.WriteAllText(In("other.yaml"), (small with { Methods = "[average]" }).Yaml);
        var (code, output, error) = await RunAsync("submit", In("small.yaml"), "--watch");
        Assert.True(code == ExitCodes.Done, error);
        id = output.Trim();
        var refused = (await RunAsync("extend", id, In("other.yaml"))).Error;
        Assert.Contains("lacks 1 of the sweep's 1 trials", refused, StringComparison.Ordinal);
        Assert.Contains("1 of 2 trials has a result", (await RunAsync("extend", id, In("large.yaml"))).Error, StringComparison.Ordinal);
        Assert.Contains("2 of 2 trials have a result", (await RunAsync("watch", id)).Error, StringComparison.Ordinal);

        // Two methods more, one of them not in the first scenario alone, for a second scenario is added too.
        var wide = (small with { Seeds = 2, Methods = "[scratch, average]" }).Yaml + "\nvary: { kernelWeights.epochs: [1, 2] }\n";
        File.WriteAllText(In("wide.yaml"), wide);
        Assert.Matches("[2-4] of 8 trials have a result", (await RunAsync("extend", id, In("wide.yaml"))).Error);
        Assert.Contains("8 of 8 trials have a result", (await RunAsync("watch", id)).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Trials_that_failed_of_a_kind_are_tried_again()
    {
        await PretrainAsync("lost.safetensors", seed: 7);
        const string pretrain = "pretrain: { data: 'phantom:vessels', trainImages: 24, epochs: 1 }";
        var specification = new SpecificationBuilder { Name = "lost", Methods = "[fine-tune]", Parallel = 1 }.WithEpochs(2000);
        var yaml = specification.Yaml.Replace(pretrain, "weights: lost.safetensors", StringComparison.Ordinal);
        File.WriteAllText(In("lost.yaml"), yaml);
        var (submitted, output, submitError) = await RunAsync("submit", In("lost.yaml"));
        Assert.True(submitted == ExitCodes.Done, submitError);
        var id = output.Trim();

        // The second trial needs the file, which somebody removes from the store while the first one runs.
        var bytes = File.ReadAllBytes(In("lost.safetensors"));
        var store = new FolderObjectStore(In("store"));
        await store.DeleteAsync(ArtefactStore.Prefix + ContentHash.Of(bytes), TestContext.Current.CancellationToken);
        var (skipped, _, skipError) = await RunAsync("skip", id, "1");
        Assert.True(skipped == ExitCodes.Done, skipError);
        var (watched, _, watchError) = await RunAsync("watch", id);
        Assert.Equal(ExitCodes.Failed, watched);
        Assert.Contains("after 1 attempt: The weight file", watchError, StringComparison.Ordinal);
        Assert.Contains("0 of 2 trials have a result, 1 failed (permanent), 1 cancelled.", watchError, StringComparison.Ordinal);

        await new ArtefactStore(store).WriteAsync(bytes, TestContext.Current.CancellationToken);
        Assert.Contains("1 failed", (await RunAsync("retry", id, "--kind", "transient")).Error, StringComparison.Ordinal);
        var (retried, _, retryError) = await RunAsync("retry", id, "--kind", "permanent");
        Assert.True(retried == ExitCodes.Done, retryError);
        Assert.Contains("Running", retryError, StringComparison.Ordinal);
        Assert.DoesNotContain("failed", retryError, StringComparison.Ordinal);
        Assert.Contains("1 cancelled", retryError, StringComparison.Ordinal); // what was skipped did not fail
        await RunAsync("cancel", id);
    }

    /// <summary>Makes a weight file.</summary>
    private async Task PretrainAsync(string name, int seed)
    {
        var (made, _, error) = await RunAsync(
            "pretrain",
            "--data", "phantom:cells",
            "--architecture", "resnet20",
            "--width", "0.125",
            "--epochs", "1",
            "--seed", $"{seed}",
            "--threads", "1",
            "--store", In("own"),
            "--output", In(name));
        Assert.True(made == ExitCodes.Done, error);
    }

    private async Task<JsonElement> ShowAsync(string id, string property)
    {
        using var status = JsonDocument.Parse((await RunAsync("show", id, "--json")).Output);
        return status.RootElement.GetProperty(property).Clone();
    }

    [Fact]
    public async Task Watching_survives_a_restart_of_the_gateway()
    {
        File.WriteAllText(In("watched.yaml"), new SpecificationBuilder { Methods = "[medmerge]" }.WithEpochs(3000).Yaml);
        var id = (await RunAsync("submit", In("watched.yaml"))).Output.Trim();
        var error = new StringWriter();
        var watching = MedMergeCommand.RunAsync(["watch", id], TextWriter.Null, TextWriter.Synchronized(error));
        while (!error.ToString().Contains("trial 1/1", StringComparison.Ordinal))
            await Task.Delay(50, TestContext.Current.CancellationToken);
        await _gateway.RestartAsync();
        await RunAsync("cancel", id);
        var code = await watching.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.Equal(ExitCodes.Failed, code);
        Assert.Contains("connecting again", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("Cancelled", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ExitCodes.BadInput, "There is no sweep 'nothing'", "show", "nothing")]
    [InlineData(ExitCodes.BadInput, "There is no sweep", "cancel", "../x")]
    [InlineData(ExitCodes.BadInput, "There is no sweep", "watch", "%2e%2e")]
    [InlineData(ExitCodes.BadInput, "There is no specification", "submit", "missing.yaml")]
    [InlineData(ExitCodes.BadInput, "must look like http", "list", "--gateway", "nowhere")]
    [InlineData(ExitCodes.Failed, "can't be reached", "list", "--gateway", "http://127.0.0.1:9")]
    [InlineData(ExitCodes.Failed, "can't be reached", "watch", "x", "--gateway", "http://127.0.0.1:9")]
    public async Task A_failure_is_one_clear_message(int expected, string message, params string[] arguments)
    {
        var (code, _, error) = await RunAsync(arguments);
        Assert.Equal(expected, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task A_gpu_that_no_node_has_must_be_named_by_its_model()
    {
        File.WriteAllText(In("gpu.yaml"), new SpecificationBuilder { Device = "cuda:0" }.Yaml);
        var (code, _, error) = await RunAsync("submit", In("gpu.yaml"));
        Assert.Equal(ExitCodes.BadInput, code);
        Assert.Contains("name it, 'device: cuda:0 MODEL'", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("wrong")]
    public async Task A_missing_or_wrong_key_is_reported(string? key)
    {
        Environment.SetEnvironmentVariable("MEDMERGE_API_KEY", key);
        var (code, _, error) = await RunAsync("list");
        Assert.Equal(ExitCodes.BadInput, code);
        Assert.Contains("Set MEDMERGE_API_KEY", error, StringComparison.Ordinal);
    }

    /// <summary>A browser saves a download, or shows it as a page that runs no script.</summary>
    private async Task AssertRunsNothingAsync(string path, string? disposition, string policy)
    {
        using var response = await _gateway.Client.GetAsync(path, TestContext.Current.CancellationToken);
        Assert.Equal(disposition, response.Content.Headers.ContentDisposition?.DispositionType);
        Assert.Contains(policy, response.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
    }

    private string In(string name) => Path.Combine(_gateway.Folder, name);

    private List<string> GetFiles(string folder) =>
    [
        .. Directory.GetFiles(In(folder), "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(In(folder), file))
            .Order(),
    ];

    private byte[] ReadBytes(string folder, string file) => File.ReadAllBytes(Path.Combine(In(folder), file));

    private Task<byte[]> GetBytesAsync(string path) =>
        _gateway.Client.GetByteArrayAsync(path, TestContext.Current.CancellationToken);

    private async Task<HttpStatusCode> GetStatusAsync(string path)
    {
        using var response = await _gateway.Client.GetAsync(path, TestContext.Current.CancellationToken);
        return response.StatusCode;
    }

    private static Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments) =>
        CommandOutput.OfAsync((output, error) => MedMergeCommand.RunAsync(arguments, output, error));
}
