using MedMerge.Testing;

namespace MedMerge.Tests;

/// <summary>Files that a script writes with Debian's Python, for the tests of a class.</summary>
public abstract class PythonFiles : IDisposable
{
    private readonly bool _isHere;
    private readonly string _missing;

    /// <param name="script">Of the folder Fixtures; it takes the folder that it writes to.</param>
    /// <param name="modules">What it needs: <c>PIL, numpy</c>.</param>
    /// <param name="missing">Why tests are skipped without them.</param>
    protected PythonFiles(string script, string modules, string missing)
    {
        _isHere = Python.Has(modules);
        _missing = missing;
        if (!_isHere) return;
        var (code, text) = Python.Run(Path.Combine(AppContext.BaseDirectory, "Fixtures", script), Folder);
        if (code != 0) throw new InvalidOperationException(text);
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("medmerge-python-").FullName;

    public void SkipWithout()
    {
        if (!_isHere) Assert.Skip(_missing);
    }

    public void Dispose()
    {
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }
}
