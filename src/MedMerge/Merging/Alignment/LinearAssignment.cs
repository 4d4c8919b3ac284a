namespace MedMerge.Merging.Alignment;

/// <summary>
/// The assignment of rows to columns with the largest sum: shortest augmenting paths with dual variables (Jonker &amp; Volgenant 1987, in
/// the form of Crouse 2016), O(n³), in float64 and always in the same order.
/// </summary>
internal sealed class LinearAssignment
{
    /// <summary>A gain below this share of the sums compared is rounding.</summary>
    private const double Tolerance = 1e-10;

    private const int None = -1;

    private readonly double[] _values;
    private readonly int _size;
    private readonly double[] _rowPrices;
    private readonly double[] _columnPrices;
    private readonly int[] _columnOf; // of each row
    private readonly int[] _rowOf;    // of each column

    // Of the search for a path, by column:
    private readonly double[] _distances;
    private readonly int[] _previous; // the row before it on the path
    private readonly int[] _open;     // the columns that are not reached yet, in front; then those that are, the last one first

    private LinearAssignment(double[] values, int size)
    {
        _values = values;
        _size = size;
        _rowPrices = new double[size];
        _columnPrices = new double[size];
        _columnOf = new int[size];
        _rowOf = new int[size];
        _distances = new double[size];
        _previous = new int[size];
        _open = new int[size];
        Array.Fill(_columnOf, None);
        Array.Fill(_rowOf, None);
    }

    /// <summary>Finds it.</summary>
    /// <param name="values">[size × size], row-major.</param>
    /// <returns>Each row's column.</returns>
    /// <exception cref="ArgumentException">Some values are not finite, or there are not that many.</exception>
    public static int[] Maximise(double[] values, int size)
    {
        if (values.Length != size * size) throw new ArgumentException($"{values.Length} values are no square of {size}.", nameof(values));
        if (!Array.TrueForAll(values, double.IsFinite)) throw new ArgumentException("Some values are not finite.", nameof(values));
        var assignment = new LinearAssignment(values, size);
        assignment.Reduce();
        for (var row = 0; row < size; row++)
            if (assignment._columnOf[row] == None) assignment.Augment(row);
        return assignment._columnOf;
    }

    /// <summary>The same where it is better than leaving each row at its own column, and otherwise that.</summary>
    /// <inheritdoc cref="Maximise" />
    public static int[] Improve(double[] values, int size)
    {
        var columns = Maximise(values, size);
        double gain = 0, scale = 0;
        for (var row = 0; row < size; row++)
        {
            var (value, own) = (values[(row * size) + columns[row]], values[(row * size) + row]);
            gain += value - own;
            scale += Math.Abs(value) + Math.Abs(own);
        }
        return gain > Tolerance * scale ? columns : [.. Enumerable.Range(0, size)];
    }

    /// <summary>The cost of an assignment beyond the prices: never negative, and 0 for those made.</summary>
    private double Cost(int row, int column) => -_values[(row * _size) + column] - _rowPrices[row] - _columnPrices[column];

    /// <summary>Prices each column by its lowest cost and each row by what remains, and assigns where that is free.</summary>
    private void Reduce()
    {
        Array.Fill(_columnPrices, double.PositiveInfinity);
        for (var row = 0; row < _size; row++)
        {
            for (var column = 0; column < _size; column++)
                _columnPrices[column] = Math.Min(_columnPrices[column], -_values[(row * _size) + column]);
        }
        for (var row = 0; row < _size; row++)
        {
            var lowest = 0;
            for (var column = 1; column < _size; column++)
                if (Cost(row, column) < Cost(row, lowest)) lowest = column;
            _rowPrices[row] = Cost(row, lowest);
            if (_rowOf[lowest] == None) Assign(row, lowest);
        }
    }

    /// <summary>Gives a row a column along the cheapest path of assignments that move over.</summary>
    private void Augment(int start)
    {
        var open = _size;
        for (var column = 0; column < _size; column++) _open[column] = column;
        Array.Fill(_distances, double.PositiveInfinity);
        var (row, end, distance) = (start, None, 0.0);
        while (end == None)
        {
            var nearest = Extend(row, distance, open);
            var column = _open[nearest];
            distance = _distances[column];
            open--;
            (_open[nearest], _open[open]) = (_open[open], column);
            if (_rowOf[column] == None) end = column;
            else row = _rowOf[column];
        }
        UpdatePrices(start, distance, open);
        for (var column = end; column != None;)
        {
            var from = _previous[column];
            var next = _columnOf[from];
            Assign(from, column);
            column = from == start ? None : next;
        }
    }

    /// <summary>Brings the distances of the open columns up to date with a row that was reached.</summary>
    /// <returns>Where the nearest of them is; of equal ones a free one.</returns>
    private int Extend(int row, double distance, int open)
    {
        var (nearest, lowest) = (None, double.PositiveInfinity);
        var costs = _values.AsSpan(row * _size, _size);
        var offset = distance - _rowPrices[row];
        for (var i = 0; i < open; i++)
        {
            var column = _open[i];
            var throughRow = offset - costs[column] - _columnPrices[column];
            if (throughRow < _distances[column])
            {
                _previous[column] = row;
                _distances[column] = throughRow;
            }
            if (_distances[column] > lowest || (_distances[column] == lowest && _rowOf[column] != None)) continue;
            lowest = _distances[column];
            nearest = i;
        }
        return nearest;
    }

    private void UpdatePrices(int start, double distance, int open)
    {
        _rowPrices[start] += distance;
        foreach (var column in _open.AsSpan(open))
        {
            var saved = distance - _distances[column];
            _columnPrices[column] -= saved;
            if (_rowOf[column] != None) _rowPrices[_rowOf[column]] += saved;
        }
    }

    private void Assign(int row, int column)
    {
        _columnOf[row] = column;
        _rowOf[column] = row;
    }
}
