using MedMerge.Data;
using MedMerge.Models;

namespace MedMerge.Experiments.Specifications;

/// <summary>The text of a specification has errors; the message lists all of them.</summary>
/// <param name="files">What it names all the same.</param>
internal sealed class SpecificationException(string origin, SpecificationErrors errors, ReadableFiles files)
    : InputException(errors.Describe(origin))
{
    /// <summary>What messages call the specification.</summary>
    public string Origin => origin;

    /// <summary>The errors.</summary>
    public SpecificationErrors Errors => errors;

    /// <summary>The data sets and source models that it names, which may have errors of their own.</summary>
    public ReadableFiles Files => files;
}

/// <summary>What a specification with errors names that can be read.</summary>
/// <param name="Architecture">Null where it names none that there is.</param>
internal sealed record ReadableFiles(
    IReadOnlyList<DatasetSource> Targets,
    IReadOnlyList<SourceModel> Sources,
    Architecture? Architecture,
    SpecificationLines Lines);
