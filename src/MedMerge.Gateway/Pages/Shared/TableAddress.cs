using MedMerge.Grains;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.FluentUI.AspNetCore.Components;

namespace MedMerge.Gateway.Pages.Shared;

/// <summary>How a page's table is searched, filtered and sorted: kept in the page's address, so that it can be shared.</summary>
internal sealed class TableAddress
{
    /// <summary>The filter that lets every state through.</summary>
    public const string AnyState = "any";

    private const string Descending = "-";
    private readonly NavigationManager _navigation;
    private string? _sort;
    private bool _isSorted;

    /// <summary>Reads the address that is open.</summary>
    /// <param name="states">Those that can be chosen.</param>
    public TableAddress(NavigationManager navigation, IReadOnlyCollection<string> states)
    {
        _navigation = navigation;
        var query = QueryHelpers.ParseQuery(new Uri(navigation.Uri).Query);
        string? state = query.GetValueOrDefault("state");
        Text = query.GetValueOrDefault("search");
        State = state is not null && states.Contains(state) ? state : AnyState;
        _sort = query.GetValueOrDefault("sort");
    }

    /// <summary>What is searched for; null or empty for nothing.</summary>
    public string? Text { get; set; }

    /// <summary>The state that is shown, or <see cref="AnyState"/>.</summary>
    public string? State { get; set; }

    /// <summary>Sorts a table as the address says, if it does: once, as soon as the table is there.</summary>
    public Task SortAsync<T>(FluentDataGrid<T>? table)
    {
        if (_isSorted || table is null) return Task.CompletedTask;
        _isSorted = true;
        if (_sort is null) return Task.CompletedTask;
        var isDescending = _sort.StartsWith(Descending, StringComparison.Ordinal);
        return table.SortByColumnAsync(
            isDescending ? _sort[Descending.Length..] : _sort,
            isDescending ? DataGridSortDirection.Descending : DataGridSortDirection.Ascending);
    }

    /// <summary>Whether the filter lets a state through.</summary>
    public bool Shows(WorkState state) => State is null or AnyState || string.Equals($"{state}", State, StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Writes all of it: the address that is open lags behind what is typed, so it can't be changed piece by piece.
    /// </summary>
    public void Write() => _navigation.NavigateTo(
        _navigation.GetUriWithQueryParameters(new Dictionary<string, object?>
        {
            ["search"] = string.IsNullOrWhiteSpace(Text) ? null : Text.Trim(),
            ["state"] = State is null or AnyState ? null : State,
            ["sort"] = _sort,
        }),
        replace: true);

    /// <summary>Writes by what the table is sorted now, too.</summary>
    public void Write<T>(DataGridSortEventArgs<T> sorted)
    {
        var first = sorted.SortColumns.Count == 0 ? null : sorted.SortColumns[0];
        _sort = first is null ? null : $"{(first.Ascending ? "" : Descending)}{first.Column.Title?.ToLowerInvariant()}";
        Write();
    }
}
