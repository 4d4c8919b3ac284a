using System.Globalization;
using MedMerge;
using MedMerge.Tensors;
using MedMerge.Tests.Fuzzing;
using SharpFuzz;

switch (args)
{
    case ["seeds", var name, var folder]:
        WriteSeeds(Find(name), folder);
        return 0;
    case ["fuzz", var name]:
        var target = Find(name);
        // In a process of its own, since afl-fuzz ends it where an input takes too long, and a full stack ends it too.
        // On the thread pool, which run.sh holds to one thread: loops in parallel then stay on it.
        Fuzzer.OutOfProcess.Run(stream => Task.Run(() => Read(target, stream)).GetAwaiter().GetResult());
        return 0;
    default:
        Console.Error.WriteLine("usage: seeds TARGET FOLDER | fuzz TARGET");
        Console.Error.WriteLine($"targets: {string.Join(", ", FuzzTargets.All.Select(known => known.Name))}");
        return 2;
}

static FuzzTarget Find(string name) => FuzzTargets.All.Single(target => target.Name == name);

static void WriteSeeds(FuzzTarget target, string folder)
{
    TorchRuntime.Start(); // random weights come from it
    Directory.CreateDirectory(folder);
    foreach (var (index, seed) in target.Seeds().Index())
        File.WriteAllBytes(Path.Combine(folder, index.ToString("d2", CultureInfo.InvariantCulture)), seed);
}

// What is thrown from here is a crash to afl-fuzz.
static void Read(FuzzTarget target, Stream stream)
{
    using var file = new MemoryStream();
    stream.CopyTo(file);
    var before = GC.GetAllocatedBytesForCurrentThread();
    try
    {
        target.Read(file.ToArray());
    }
    catch (InputException error) when (!string.IsNullOrWhiteSpace(error.Message))
    {
        // A file that is refused with a message is what the parsers are for.
    }
    var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
    if (allocated > FuzzTarget.MaxAllocated) throw new InvalidOperationException($"The file takes {allocated >> 20} MiB.");
}
