using System.Diagnostics;
using MedMerge.Storage;
using MedMerge.Testing;

namespace MedMerge.Cli.Tests;

public sealed class RunLockTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-lock-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_second_run_waits_its_turn_and_a_missing_folder_is_named()
    {
        var store = new FolderObjectStore(Path.Combine(_folder, "store"));
        using (RunLock.Take("sweep", store, _folder))
        {
            var taken = Assert.Throws<InputException>(() => RunLock.Take("sweep", store, _folder));
            Assert.StartsWith("Another process runs this specification", taken.Message, StringComparison.Ordinal);
        }
        var missing = Assert.Throws<InputException>(() => RunLock.Take("sweep", store, Path.Combine(_folder, "nowhere")));
        Assert.Contains($"'{Path.Combine(_folder, "nowhere")}', does not exist", missing.Message, StringComparison.Ordinal);
    }

    /// <summary>A folder in its place is denied just as another user's file is, to the superuser too.</summary>
    [Fact]
    public void A_lock_file_of_another_user_is_named()
    {
        var store = new FolderObjectStore(Path.Combine(_folder, "store"));
        string path;
        using (var held = RunLock.Take("sweep", store, _folder)) path = held!.Name;
        Directory.CreateDirectory(path);
        var denied = Assert.Throws<InputException>(() => RunLock.Take("sweep", store, _folder));
        Assert.Contains($"The lock file '{path}' belongs to another user", denied.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_folder_for_temporary_files_a_run_says_which_is_missing()
    {
        File.WriteAllText(Path.Combine(_folder, "spec.yaml"), new SpecificationBuilder { Methods = "[scratch]" }.Yaml);
        string[] arguments =
        [
            Repository.Program("MedMerge.Cli"),
            "run",
            Path.Combine(_folder, "spec.yaml"),
            "--store",
            Path.Combine(_folder, "store"),
        ];
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        start.Environment["TMPDIR"] = Path.Combine(_folder, "nowhere");
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        await output;

        Assert.Equal(ExitCodes.BadInput, process.ExitCode);
        Assert.Contains(Path.Combine(_folder, "nowhere"), error, StringComparison.Ordinal);
        Assert.Contains("TMPDIR", error, StringComparison.Ordinal);
    }
}
